//! Queries and views: there are none, and no SQL to make some. What a real server checks before it needs
//! SQL is checked.

use tonic::{Code, Status};

use super::errors;
use super::lookups;
use super::names::Names;
use super::node::Node;
use crate::proto::{self, ErrorCode};

type Answer<T> = Result<T, Status>;

const SQL: &str = "SQL: queries and views can't be made or asked here";

pub(super) fn query_not_found(id: &str) -> Status {
    errors::json(Code::NotFound, ErrorCode::QueryNotFound, "QueryNotFound", id)
}

pub(super) fn execute_query(_: &Node, _: proto::CommandQuery) -> Answer<proto::CommandQueryResponse> {
    Err(errors::not_here(SQL))
}

pub(super) fn create_query(node: &Node, request: proto::CreateQueryRequest) -> Answer<proto::Query> {
    create(node, &request.query_name, &request.sql)
}

pub(super) fn create_query_with_namespace(
    node: &Node,
    request: proto::CreateQueryWithNamespaceRequest,
) -> Answer<proto::Query> {
    create(node, &request.query_name, &request.sql)
}

fn create(node: &Node, name: &str, sql: &str) -> Answer<proto::Query> {
    Names::Query.check(name)?;
    if sql.is_empty() {
        let (error, extra) = (ErrorCode::QueryInvalidSql, "Empty Sql statement.");
        return Err(errors::json(Code::InvalidArgument, error, "InvalidQuerySql", extra));
    }
    lookups::check_query_owner(node, name)?;
    Err(errors::not_here(SQL))
}

pub(super) fn list_queries(_: &Node, _: proto::ListQueriesRequest) -> Answer<proto::ListQueriesResponse> {
    Ok(proto::ListQueriesResponse::default())
}

pub(super) fn get_query(node: &Node, request: proto::GetQueryRequest) -> Answer<proto::Query> {
    missing(node, &request.id).map(|never| match never {})
}

pub(super) fn terminate_query(node: &Node, request: proto::TerminateQueryRequest) -> Answer<()> {
    missing(node, &request.query_id).map(|never| match never {})
}

pub(super) fn delete_query(node: &Node, request: proto::DeleteQueryRequest) -> Answer<()> {
    missing(node, &request.id).map(|never| match never {})
}

/// Name, owner, and then there is no such query.
fn missing(node: &Node, id: &str) -> Answer<std::convert::Infallible> {
    Names::Query.check(id)?;
    lookups::check_query_owner(node, id)?;
    Err(query_not_found(id))
}

/// It looks at the name of the query less closely than its siblings.
pub(super) fn resume_query(node: &Node, request: proto::ResumeQueryRequest) -> Answer<()> {
    lookups::check_query_owner(node, &request.id)?;
    Err(query_not_found(&request.id))
}

pub(super) fn parse_sql(_: &Node, _: proto::ParseSqlRequest) -> Answer<proto::ParseSqlResponse> {
    Err(errors::not_here(SQL))
}

pub(super) fn list_views(_: &Node, _: proto::ListViewsRequest) -> Answer<proto::ListViewsResponse> {
    Ok(proto::ListViewsResponse::default())
}

pub(super) fn get_view(_: &Node, request: proto::GetViewRequest) -> Answer<proto::View> {
    Names::View.check(&request.view_id)?;
    Err(errors::view_not_found(&request.view_id))
}

pub(super) fn delete_view(_: &Node, request: proto::DeleteViewRequest) -> Answer<()> {
    Names::View.check(&request.view_id)?;
    if request.ignore_non_exist { Ok(()) } else { Err(errors::view_not_found(&request.view_id)) }
}

pub(super) fn execute_view_query(
    _: &Node,
    _: proto::ExecuteViewQueryRequest,
) -> Answer<proto::ExecuteViewQueryResponse> {
    Err(errors::not_here(SQL))
}

pub(super) fn execute_view_query_with_namespace(
    _: &Node,
    _: proto::ExecuteViewQueryWithNamespaceRequest,
) -> Answer<proto::ExecuteViewQueryResponse> {
    Err(errors::not_here(SQL))
}
