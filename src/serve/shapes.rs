//! What differs between the versions of the API that are spoken, all in one place: requests are brought up to the newest version,
//! answers down to the client's. Each difference is told with the version from which the newer way holds.

use api::{ContainerConfig, ImageConfig, ImageInspect, Version};

/// The first version with the newer way.
const fn since(minor: u32) -> Version {
    Version { major: 1, minor }
}

/// A create, as the client's version means it: fields that it does not have yet say nothing.
pub fn create(version: Version, request: &mut api::ContainerCreateRequest) {
    let host = &mut request.host_config;
    if version >= since(42) {
        host.kernel_memory = 0;
    } else {
        host.console_size = None;
        for mount in host.mounts.iter_mut().flatten() {
            if let Some(options) = &mut mount.bind_options {
                options.create_mountpoint = false;
            }
        }
    }
    if version < since(43) {
        host.annotations = None;
    }
    if version < since(44) {
        before_44(request);
    }
}

fn before_44(request: &mut api::ContainerCreateRequest) {
    if let Some(healthcheck) = &mut request.config.healthcheck {
        healthcheck.start_interval = 0;
    }
    for mount in request.host_config.mounts.iter_mut().flatten() {
        // Submounts of a read-only bind stayed writable then.
        if mount.kind == "bind" && mount.read_only {
            let options = mount.bind_options.get_or_insert_default();
            options.read_only_non_recursive = true;
            options.read_only_force_recursive = false;
        }
    }
}

/// A list of containers.
pub fn summaries(version: Version, containers: &mut [api::ContainerSummary]) {
    for container in containers {
        if version < since(46) {
            container.host_config.annotations = None;
        }
        if version < since(48) {
            container.image_manifest_descriptor = None;
        }
    }
}

/// A container.
pub fn inspect(version: Version, container: &mut api::ContainerInspectResponse) {
    if version < since(48) {
        container.image_manifest_descriptor = None;
    }
}

/// A list of images.
pub fn images(version: Version, images: &mut [api::ImageSummary]) {
    for image in images {
        if version < since(43) {
            or_none(&mut image.repo_tags, "<none>:<none>");
            or_none(&mut image.repo_digests, "<none>@<none>");
        }
        image.virtual_size = (version < since(44)).then_some(image.size);
        if version < since(48) {
            image.descriptor = None;
        }
    }
}

/// What has no name had the name `<none>` once.
fn or_none(names: &mut Option<Vec<String>>, none: &str) {
    let names = names.get_or_insert_default();
    if names.is_empty() {
        names.push(none.to_owned());
    }
}

/// An image, in one of two shapes.
pub enum Image {
    Older(Box<ImageInspect>),
    Newer(Box<ImageInspect<ImageConfig>>),
}

/// An image.
pub fn image(version: Version, mut image: ImageInspect) -> Image {
    if version < since(44) {
        image.virtual_size = Some(image.size);
        image.created.get_or_insert_with(|| "0001-01-01T00:00:00Z".to_owned());
    } else {
        image.virtual_size = None;
    }
    if version < since(45) {
        // Which container it was made of: none of ours.
        image.container = Some(String::new());
        image.container_config = Some(ContainerConfig::default());
    }
    if version < since(48) {
        image.descriptor = None;
    }
    if version < since(50) {
        return Image::Older(Box::new(image));
    }
    Image::Newer(Box::new(slim(image)))
}

/// From 1.50 on, an image's config has only what an image can say.
fn slim(image: ImageInspect) -> ImageInspect<ImageConfig> {
    let config = image.config;
    ImageInspect {
        config: ImageConfig {
            user: config.user,
            exposed_ports: config.exposed_ports,
            env: config.env,
            entrypoint: config.entrypoint,
            cmd: config.cmd,
            volumes: config.volumes,
            working_dir: config.working_dir,
            labels: config.labels,
            stop_signal: config.stop_signal,
            args_escaped: config.args_escaped,
            healthcheck: config.healthcheck,
            on_build: config.on_build,
            shell: config.shell,
        },
        id: image.id,
        repo_tags: image.repo_tags,
        repo_digests: image.repo_digests,
        parent: image.parent,
        comment: image.comment,
        created: image.created,
        container: image.container,
        container_config: image.container_config,
        docker_version: image.docker_version,
        author: image.author,
        architecture: image.architecture,
        variant: image.variant,
        os: image.os,
        os_version: image.os_version,
        size: image.size,
        virtual_size: image.virtual_size,
        graph_driver: image.graph_driver,
        rootfs: image.rootfs,
        metadata: image.metadata,
        descriptor: image.descriptor,
        manifests: image.manifests,
    }
}

/// What the engine says of itself.
pub fn info(version: Version, info: &mut api::SystemInfo) {
    if version >= since(42) {
        info.kernel_memory = false;
        info.kernel_memory_tcp = false;
    }
    if version < since(46) {
        info.containerd = None;
    }
    if version < since(49) {
        info.firewall_backend = None;
    } else {
        for commit in [&mut info.containerd_commit, &mut info.runc_commit, &mut info.init_commit] {
            commit.expected.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(minor: u32) -> Version {
        since(minor)
    }

    #[test]
    fn a_read_only_bind_was_not_recursive_once() {
        let request = || -> api::ContainerCreateRequest {
            let body = br#"{"HostConfig":{"Mounts":[{"Type":"bind","ReadOnly":true}]}}"#;
            api::from_request(body).expect("a request")
        };
        let is_flat = |minor| {
            let mut request = request();
            create(version(minor), &mut request);
            let mount = request.host_config.mounts.unwrap_or_default().remove(0);
            mount.bind_options.is_some_and(|options| options.read_only_non_recursive)
        };
        assert!(is_flat(43));
        assert!(!is_flat(44));
    }

    #[test]
    fn an_image_in_every_version_that_changed_it() {
        let image = || ImageInspect {
            size: 7,
            virtual_size: Some(7),
            descriptor: Some(api::Descriptor::default()),
            ..Default::default()
        };
        for minor in [43, 44, 45, 48, 50] {
            let json = match super::image(version(minor), image()) {
                Image::Older(image) => serde_json::to_value(image),
                Image::Newer(image) => serde_json::to_value(image),
            };
            let json = json.expect("JSON");
            let has = |name: &str| json.get(name).is_some();
            assert_eq!(has("VirtualSize"), minor < 44);
            assert_eq!(has("ContainerConfig"), minor < 45);
            assert_eq!(has("Descriptor"), minor >= 48);
            assert_eq!(json["Config"].get("AttachStdin").is_some(), minor < 50);
        }
    }

    #[test]
    fn what_has_no_name_is_called_none_by_old_clients() {
        let mut list = [api::ImageSummary::default()];
        images(version(42), &mut list);
        assert_eq!(list[0].repo_tags.as_deref(), Some(&["<none>:<none>".to_owned()][..]));
    }
}
