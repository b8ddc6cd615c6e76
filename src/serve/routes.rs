//! The one table of everything that the API answers, in the contract's order (Docker Engine API v1.50).

use super::request::{Answer, Call, Live, Response};
use super::{containers, error, events, exec, images, system};
use Handler::{Later, Plain, Streams};

/// Who answers.
pub enum Handler {
    /// Code that blocks, with the whole body, and an answer that is there at once.
    Plain(fn(&Call) -> error::Answered<Response>),
    /// An answer that is made while it is sent, or that takes the connection over.
    Streams(fn(Live) -> Answer),
    /// Nobody yet: 501, naming the contract's operation.
    Later(&'static str),
}

/// One row. In a pattern, `{…}` stands for anything, slashes too (names of images have some).
pub struct Route {
    pub method: &'static str,
    pub pattern: &'static str,
    pub handler: Handler,
}

const fn on(method: &'static str, pattern: &'static str, handler: Handler) -> Route {
    Route { method, pattern, handler }
}

const GET: &str = "GET";
const HEAD: &str = "HEAD";
const POST: &str = "POST";
const PUT: &str = "PUT";
const DELETE: &str = "DELETE";

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    on(GET,    "/containers/json",             Plain(containers::list)),
    on(POST,   "/containers/create",           Plain(containers::create)),
    on(GET,    "/containers/{id}/json",        Plain(containers::inspect)),
    on(GET,    "/containers/{id}/top",         Later("ContainerTop")),
    on(GET,    "/containers/{id}/logs",        Streams(containers::logs)),
    on(GET,    "/containers/{id}/changes",     Later("ContainerChanges")),
    on(GET,    "/containers/{id}/export",      Later("ContainerExport")),
    on(GET,    "/containers/{id}/stats",       Later("ContainerStats")),
    on(POST,   "/containers/{id}/resize",      Plain(containers::resize)),
    on(POST,   "/containers/{id}/start",       Plain(containers::start)),
    on(POST,   "/containers/{id}/stop",        Plain(containers::stop)),
    on(POST,   "/containers/{id}/restart",     Plain(containers::restart)),
    on(POST,   "/containers/{id}/kill",        Plain(containers::kill)),
    on(POST,   "/containers/{id}/update",      Later("ContainerUpdate")),
    on(POST,   "/containers/{id}/rename",      Plain(containers::rename)),
    on(POST,   "/containers/{id}/pause",       Plain(containers::pause)),
    on(POST,   "/containers/{id}/unpause",     Plain(containers::unpause)),
    on(POST,   "/containers/{id}/attach",      Streams(containers::attach)),
    on(GET,    "/containers/{id}/attach/ws",   Later("ContainerAttachWebsocket")),
    on(POST,   "/containers/{id}/wait",        Streams(containers::wait)),
    on(HEAD,   "/containers/{id}/archive",     Later("ContainerArchiveInfo")),
    on(GET,    "/containers/{id}/archive",     Later("ContainerArchive")),
    on(PUT,    "/containers/{id}/archive",     Later("PutContainerArchive")),
    on(POST,   "/containers/prune",            Later("ContainerPrune")),
    on(DELETE, "/containers/{id}",             Plain(containers::remove)),

    on(POST,   "/containers/{id}/exec",        Plain(exec::create)),
    on(POST,   "/exec/{id}/start",             Streams(exec::start)),
    on(POST,   "/exec/{id}/resize",            Plain(exec::resize)),
    on(GET,    "/exec/{id}/json",              Plain(exec::inspect)),

    on(GET,    "/images/json",                 Plain(images::list)),
    on(POST,   "/images/create",               Streams(images::create)),
    on(GET,    "/images/search",               Later("ImageSearch")),
    on(POST,   "/images/prune",                Later("ImagePrune")),
    on(GET,    "/images/get",                  Streams(images::save)),
    on(POST,   "/images/load",                 Streams(images::load)),
    on(GET,    "/images/{name}/json",          Plain(images::inspect)),
    on(GET,    "/images/{name}/history",       Plain(images::history)),
    on(POST,   "/images/{name}/push",          Later("ImagePush")),
    on(POST,   "/images/{name}/tag",           Plain(images::tag)),
    on(GET,    "/images/{name}/get",           Streams(images::save)),
    on(DELETE, "/images/{name}",               Plain(images::remove)),
    on(POST,   "/commit",                      Later("ImageCommit")),
    on(POST,   "/build",                       Later("ImageBuild")),
    on(POST,   "/build/prune",                 Later("BuildPrune")),
    on(POST,   "/build/cancel",                Later("BuildCancel")),
    on(GET,    "/distribution/{name}/json",    Later("DistributionInspect")),

    on(GET,    "/_ping",                       Plain(system::ping)),
    on(HEAD,   "/_ping",                       Plain(system::ping)),
    on(GET,    "/version",                     Plain(system::version)),
    on(GET,    "/info",                        Plain(system::info)),
    on(GET,    "/events",                      Streams(events::follow)),
    on(GET,    "/system/df",                   Later("SystemDataUsage")),
    on(POST,   "/auth",                        Later("SystemAuth")),
    on(POST,   "/session",                     Later("Session")),
    on(POST,   "/grpc",                        Later("Session")),

    on(GET,    "/networks",                    Later("NetworkList")),
    on(POST,   "/networks/create",             Later("NetworkCreate")),
    on(POST,   "/networks/prune",              Later("NetworkPrune")),
    on(POST,   "/networks/{id}/connect",       Later("NetworkConnect")),
    on(POST,   "/networks/{id}/disconnect",    Later("NetworkDisconnect")),
    on(GET,    "/networks/{id}",               Later("NetworkInspect")),
    on(DELETE, "/networks/{id}",               Later("NetworkDelete")),

    on(GET,    "/volumes",                     Later("VolumeList")),
    on(POST,   "/volumes/create",              Later("VolumeCreate")),
    on(POST,   "/volumes/prune",               Later("VolumePrune")),
    on(GET,    "/volumes/{name}",              Later("VolumeInspect")),
    on(PUT,    "/volumes/{name}",              Later("VolumeUpdate")),
    on(DELETE, "/volumes/{name}",              Later("VolumeDelete")),

    on(GET,    "/plugins",                     Later("PluginList")),
    on(GET,    "/plugins/privileges",          Later("GetPluginPrivileges")),
    on(POST,   "/plugins/pull",                Later("PluginPull")),
    on(POST,   "/plugins/create",              Later("PluginCreate")),
    on(GET,    "/plugins/{name}/json",         Later("PluginInspect")),
    on(POST,   "/plugins/{name}/enable",       Later("PluginEnable")),
    on(POST,   "/plugins/{name}/disable",      Later("PluginDisable")),
    on(POST,   "/plugins/{name}/upgrade",      Later("PluginUpgrade")),
    on(POST,   "/plugins/{name}/push",         Later("PluginPush")),
    on(POST,   "/plugins/{name}/set",          Later("PluginSet")),
    on(DELETE, "/plugins/{name}",              Later("PluginDelete")),

    on(GET,    "/swarm",                       Later("SwarmInspect")),
    on(POST,   "/swarm/init",                  Later("SwarmInit")),
    on(POST,   "/swarm/join",                  Later("SwarmJoin")),
    on(POST,   "/swarm/leave",                 Later("SwarmLeave")),
    on(POST,   "/swarm/update",                Later("SwarmUpdate")),
    on(GET,    "/swarm/unlockkey",             Later("SwarmUnlockkey")),
    on(POST,   "/swarm/unlock",                Later("SwarmUnlock")),
    on(GET,    "/nodes",                       Later("NodeList")),
    on(POST,   "/nodes/{id}/update",           Later("NodeUpdate")),
    on(GET,    "/nodes/{id}",                  Later("NodeInspect")),
    on(DELETE, "/nodes/{id}",                  Later("NodeDelete")),
    on(GET,    "/services",                    Later("ServiceList")),
    on(POST,   "/services/create",             Later("ServiceCreate")),
    on(POST,   "/services/{id}/update",        Later("ServiceUpdate")),
    on(GET,    "/services/{id}/logs",          Later("ServiceLogs")),
    on(GET,    "/services/{id}",               Later("ServiceInspect")),
    on(DELETE, "/services/{id}",               Later("ServiceDelete")),
    on(GET,    "/tasks",                       Later("TaskList")),
    on(GET,    "/tasks/{id}/logs",             Later("TaskLogs")),
    on(GET,    "/tasks/{id}",                  Later("TaskInspect")),
    on(GET,    "/secrets",                     Later("SecretList")),
    on(POST,   "/secrets/create",              Later("SecretCreate")),
    on(POST,   "/secrets/{id}/update",         Later("SecretUpdate")),
    on(GET,    "/secrets/{id}",                Later("SecretInspect")),
    on(DELETE, "/secrets/{id}",                Later("SecretDelete")),
    on(GET,    "/configs",                     Later("ConfigList")),
    on(POST,   "/configs/create",              Later("ConfigCreate")),
    on(POST,   "/configs/{id}/update",         Later("ConfigUpdate")),
    on(GET,    "/configs/{id}",                Later("ConfigInspect")),
    on(DELETE, "/configs/{id}",                Later("ConfigDelete")),
];

/// The first row that fits, and what stands for its `{…}`.
pub fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Route, &'a str)> {
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| matches(route.pattern, path).map(|name| (route, name)))
}

fn matches<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (pattern == path).then_some("");
    };
    let (_, after) = rest.split_once('}')?;
    let name = path.strip_prefix(before)?.strip_suffix(after)?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_slashes() {
        let found = |method, path| find(method, path).map(|(route, name)| (route.pattern, name));
        assert_eq!(
            found("GET", "/images/localhost:5000/a/b:c/json"),
            Some(("/images/{name}/json", "localhost:5000/a/b:c"))
        );
        assert_eq!(found("GET", "/images/json"), Some(("/images/json", "")));
        assert_eq!(found("GET", "/images/json/json"), Some(("/images/{name}/json", "json")));
        assert_eq!(found("DELETE", "/images/a/b"), Some(("/images/{name}", "a/b")));
        assert_eq!(found("GET", "/containers//json"), None);
        assert_eq!(found("POST", "/containers/json"), None);
        assert_eq!(found("GET", "/containers/json/"), None);
    }

    #[test]
    fn no_row_hides_another() {
        for route in ROUTES {
            let path = route.pattern.replace("{id}", "x").replace("{name}", "x");
            let (found, _) = find(route.method, &path).expect("its own row at least");
            assert_eq!(found.pattern, route.pattern, "{} {path}", route.method);
        }
    }
}
