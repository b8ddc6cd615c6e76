//! What the engine says about itself: info and version.

use std::collections::BTreeMap;
use std::fs;

use supervisor::states::State;

use crate::engine::Engine;
use crate::spec::Rootless;

/// The engine's own version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Engine {
    /// `docker version`'s server half.
    pub fn version(&self) -> api::SystemVersion {
        let kernel = kernel_release();
        let details = [
            ("ApiVersion", api::NEWEST_VERSION.to_string()),
            ("Arch", architecture().to_owned()),
            ("Experimental", "false".to_owned()),
            ("KernelVersion", kernel.clone()),
            ("MinAPIVersion", api::OLDEST_VERSION.to_string()),
            ("Os", "linux".to_owned()),
        ];
        let details: BTreeMap<String, String> = details.map(|(name, value)| (name.to_owned(), value)).into();
        let component = |name: &str, details| api::ComponentVersion {
            name: name.to_owned(),
            version: VERSION.to_owned(),
            details: Some(details),
        };
        api::SystemVersion {
            platform: api::PlatformName { name: "Coracle".to_owned() },
            components: vec![component("Engine", details)],
            version: VERSION.to_owned(),
            api_version: api::NEWEST_VERSION.to_string(),
            min_api_version: api::OLDEST_VERSION.to_string(),
            os: "linux".to_owned(),
            arch: architecture().to_owned(),
            kernel_version: kernel,
            ..Default::default()
        }
    }

    /// `docker info`'s server half.
    pub fn info(&self) -> api::SystemInfo {
        let unified = self.facts.unified_cgroups;
        let limits = self.facts.cgroup_parent.is_some();
        let (running, paused, stopped) = self.count_states();
        let release = os_release();
        api::SystemInfo {
            id: self.networks.id.clone(),
            containers: running + paused + stopped,
            containers_running: running,
            containers_paused: paused,
            containers_stopped: stopped,
            images: self.store.images().map_or(0, |images| images.len() as i64),
            driver: "overlay2".to_owned(),
            driver_status: Some(self.driver_status()),
            plugins: plugins(),
            memory_limit: limits,
            swap_limit: limits,
            cpu_cfs_period: limits,
            cpu_cfs_quota: limits,
            cpu_shares: limits,
            cpu_set: limits,
            pids_limit: limits,
            ipv4_forwarding: read_word("/proc/sys/net/ipv4/ip_forward") == "1",
            debug: self.debug,
            n_fd: fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as i64),
            n_goroutines: kernel::thread_count() as i64,
            system_time: jiff::Timestamp::now().to_string(),
            logging_driver: "json-file".to_owned(),
            cgroup_driver: if limits { "cgroupfs" } else { "none" }.to_owned(),
            cgroup_version: if unified { "2" } else { "1" }.to_owned(),
            n_events_listener: self.events.listeners() as i64,
            kernel_version: kernel_release(),
            operating_system: release.get("PRETTY_NAME").cloned().unwrap_or_default(),
            os_version: release.get("VERSION_ID").cloned().unwrap_or_default(),
            os_type: "linux".to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            index_server_address: "https://index.docker.io/v1/".to_owned(),
            registry_config: registry_config(),
            ncpu: self.facts.processors as i64,
            mem_total: memory(),
            docker_root_dir: self.places.data_root.display().to_string(),
            name: nix::unistd::gethostname()
                .map_or(String::new(), |name| name.to_string_lossy().into_owned()),
            server_version: VERSION.to_owned(),
            runtimes: self.runtimes.described(),
            init_binary: "docker-init".to_owned(),
            default_runtime: self.runtimes.default_name().to_owned(),
            swarm: api::SwarmInfo { local_node_state: "inactive".to_owned(), ..Default::default() },
            // Containers always outlive their daemon.
            live_restore_enabled: true,
            security_options: self.security_options(),
            warnings: Some(self.warnings()),
            ..Default::default()
        }
    }

    fn count_states(&self) -> (i64, i64, i64) {
        let (mut running, mut paused, mut stopped) = (0, 0, 0);
        for container in self.names().all() {
            match container.inside().state() {
                State::Running(_) => running += 1,
                State::Paused(_) => paused += 1,
                _ => stopped += 1,
            }
        }
        (running, paused, stopped)
    }

    fn driver_status(&self) -> Vec<[String; 2]> {
        let rootless = self.facts.rootless.is_some();
        vec![
            ["Supports d_type".to_owned(), "true".to_owned()],
            ["userxattr".to_owned(), rootless.to_string()],
            ["User ids".to_owned(), self.user_ids()],
            ["Mounted in".to_owned(), "the container's own mount namespace".to_owned()],
        ]
    }

    /// Who the users of containers are.
    fn user_ids(&self) -> String {
        match &self.facts.rootless {
            None => "as on this host".to_owned(),
            Some(rootless) if rootless.has_ranges() => {
                let Rootless { user, uid_map, .. } = rootless;
                let more: u32 = uid_map.iter().skip(1).map(|map| map.count).sum();
                format!("0 is {user} of this host, and {more} more are the user's in /etc/subuid")
            }
            Some(Rootless { user, .. }) => format!("0 is {user} of this host, and there is no other"),
        }
    }

    fn security_options(&self) -> Vec<String> {
        let mut options = Vec::new();
        if self.facts.apparmor {
            options.push("name=apparmor".to_owned());
        }
        options.push("name=seccomp,profile=builtin".to_owned());
        if self.facts.rootless.is_some() {
            options.push("name=rootless".to_owned());
        }
        if self.facts.unified_cgroups {
            options.push("name=cgroupns".to_owned());
        }
        options
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(Rootless { user, why_one_id: Some(why), .. }) = &self.facts.rootless {
            warnings.push(format!(
                "WARNING: containers run with one id: their root is user {user} of this host; files of other owners \
                 in images are shown as root's, their true owner is kept in the attribute user.coracle.owner; {why}"
            ));
        }
        if let Some(why) = self.networks.why_no_bridge {
            warnings.push(format!("WARNING: {why}"));
        }
        if self.facts.cgroup_parent.is_none() {
            let why =
                "no cgroup is delegated to this user: limits (--memory, --cpus, --pids-limit) are refused";
            warnings.push(format!("WARNING: {why}"));
        }
        warnings
    }
}

fn plugins() -> api::Plugins {
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    api::Plugins {
        volume: list(&["local"]),
        network: list(&["bridge", "host", "null"]),
        authorization: None,
        log: list(&["json-file", "none"]),
    }
}

fn registry_config() -> api::RegistryConfig {
    let name = "docker.io".to_owned();
    let hub = api::IndexInfo { name, secure: true, official: true, ..Default::default() };
    api::RegistryConfig {
        insecure_registry_cidrs: Some(vec!["127.0.0.0/8".to_owned()]),
        index_configs: [("docker.io".to_owned(), hub)].into(),
        mirrors: None,
    }
}

/// Go's word for this processor.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `6.18.0-cloud-amd64`
pub fn kernel_release() -> String {
    read_word("/proc/sys/kernel/osrelease")
}

/// A file of one line; empty when there is none.
pub fn read_word(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// Bytes of memory, out of proc_meminfo(5).
fn memory() -> i64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes: i64 = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kibibytes * 1024
}

/// The machine's own words for what it runs (os-release(5)).
fn os_release() -> BTreeMap<String, String> {
    let text = fs::read_to_string("/etc/os-release").or_else(|_| fs::read_to_string("/usr/lib/os-release"));
    let text = text.unwrap_or_default();
    let pair = |line: &str| {
        line.split_once('=').map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
    };
    text.lines().filter_map(pair).collect()
}
