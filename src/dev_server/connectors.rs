//! Connectors: there are none, and no containers to run some. What a real server checks before it needs
//! Docker is checked.

use tonic::{Code, Status};

use super::errors;
use super::lookups;
use super::names::Names;
use super::node::Node;
use crate::proto::{self, ErrorCode};

type Answer<T> = Result<T, Status>;

const DOCKER: &str = "Docker: connectors can't be made or asked here";

/// What the configuration that comes with the real server has images for.
const SOURCES: [&str; 5] = ["mysql", "postgresql", "sqlserver", "mongodb", "generator"];
const SINKS: [&str; 6] = ["mysql", "postgresql", "mongodb", "blackhole", "las", "elasticsearch"];

pub(super) fn connector_not_found(name: &str) -> Status {
    errors::json(Code::NotFound, ErrorCode::ConnectorNotFound, "ConnectorNotFound", name)
}

/// Whether there is an image for this.
fn check_kind(kind: &str, target: &str) -> Answer<()> {
    let targets = match kind {
        "SOURCE" => &SOURCES[..],
        "SINK" => &SINKS[..],
        _ => {
            let error = ErrorCode::ConnectorInvalidType;
            return Err(errors::json(Code::InvalidArgument, error, "InvalidConnectorType", kind));
        }
    };
    if targets.contains(&target) {
        return Ok(());
    }
    let (error, extra) =
        (ErrorCode::ConnectorUnimplemented, format!("Connector {kind} {target} is unimplemented"));
    Err(errors::json(Code::Unimplemented, error, "ConnectorUnimplemented", extra))
}

pub(super) fn create_connector(
    node: &Node,
    request: proto::CreateConnectorRequest,
) -> Answer<proto::Connector> {
    Names::Connector.check(&request.name)?;
    lookups::check_connector_owner(node, &request.name)?;
    check_kind(&request.r#type, &request.target)?;
    Err(errors::not_here(DOCKER))
}

pub(super) fn list_connectors(
    _: &Node,
    _: proto::ListConnectorsRequest,
) -> Answer<proto::ListConnectorsResponse> {
    Ok(proto::ListConnectorsResponse::default())
}

/// Each node knows the connectors that it runs, and no others.
pub(super) fn get_connector(_: &Node, request: proto::GetConnectorRequest) -> Answer<proto::Connector> {
    Names::Connector.check(&request.name)?;
    Err(connector_not_found(&request.name))
}

pub(super) fn get_connector_spec(
    _: &Node,
    request: proto::GetConnectorSpecRequest,
) -> Answer<proto::GetConnectorSpecResponse> {
    check_kind(&request.r#type, &request.target)?;
    Err(errors::not_here(DOCKER))
}

pub(super) fn get_connector_logs(
    _: &Node,
    request: proto::GetConnectorLogsRequest,
) -> Answer<proto::GetConnectorLogsResponse> {
    Err(connector_not_found(&request.name))
}

/// What is not there is deleted.
pub(super) fn delete_connector(node: &Node, request: proto::DeleteConnectorRequest) -> Answer<()> {
    Names::Connector.check(&request.name)?;
    lookups::check_connector_owner(node, &request.name)
}

pub(super) fn pause_connector(node: &Node, request: proto::PauseConnectorRequest) -> Answer<()> {
    missing(node, &request.name)
}

pub(super) fn resume_connector(node: &Node, request: proto::ResumeConnectorRequest) -> Answer<()> {
    missing(node, &request.name)
}

pub(super) fn alter_connector_config(node: &Node, request: proto::AlterConnectorConfigRequest) -> Answer<()> {
    missing(node, &request.name)
}

fn missing(node: &Node, name: &str) -> Answer<()> {
    lookups::check_connector_owner(node, name)?;
    Err(connector_not_found(name))
}
