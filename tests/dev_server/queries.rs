//! Queries, views and connectors: what is checked before SQL or Docker is needed.

use tonic::{Code, Status};

use crate::support::*;

/// Names that no kind of thing may have.
const BAD: &str = "1bad";

#[track_caller]
fn is_not_here(status: &Status, what: &str) {
    assert_eq!(status.code(), Code::Unimplemented, "{}", status.message());
    let text = format!("the development server has no {what}");
    assert!(status.message().starts_with(&text), "{}", status.message());
}

#[track_caller]
fn is_bad_name(status: &Status, error: i64) {
    let rule = "The first character of a name must be a letter";
    is_json(status, Code::InvalidArgument, error, "InvalidObjectIdentifier", rule);
}

#[test]
fn lists_of_queries_views_and_connectors_are_empty() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        assert!(
            client.list_queries(proto::ListQueriesRequest {}).await.unwrap().into_inner().queries.is_empty()
        );
        assert!(client.list_views(proto::ListViewsRequest {}).await.unwrap().into_inner().views.is_empty());
        let connectors = client.list_connectors(proto::ListConnectorsRequest {}).await.unwrap().into_inner();
        assert!(connectors.connectors.is_empty());
    });
}

#[test]
fn a_query_is_refused_for_its_name_then_for_empty_sql_then_for_lack_of_sql() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let request =
            |name: &str, sql: &str| proto::CreateQueryRequest { query_name: name.into(), sql: sql.into() };
        is_bad_name(&client.create_query(request(BAD, "")).await.unwrap_err(), 404);
        let empty = client.create_query(request("q", "")).await.unwrap_err();
        is_json(&empty, Code::InvalidArgument, 402, "InvalidQuerySql", "Empty Sql statement.");
        is_not_here(&client.create_query(request("q", "SELECT 1;")).await.unwrap_err(), "SQL");
        let request = |name: &str, sql: &str| proto::CreateQueryWithNamespaceRequest {
            query_name: name.into(),
            sql: sql.into(),
            namespace: "n".into(),
        };
        is_bad_name(&client.create_query_with_namespace(request(BAD, "")).await.unwrap_err(), 404);
        let empty = client.create_query_with_namespace(request("q", "")).await.unwrap_err();
        assert_eq!(parts(&empty).1, 402);
        is_not_here(&client.create_query_with_namespace(request("q", "x")).await.unwrap_err(), "SQL");
    });
}

#[test]
fn calls_about_a_query_check_its_name_and_find_none() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        for id in [BAD, "q"] {
            let id = id.to_owned();
            let refusals = [
                client.get_query(proto::GetQueryRequest { id: id.clone() }).await.unwrap_err(),
                client
                    .terminate_query(proto::TerminateQueryRequest { query_id: id.clone() })
                    .await
                    .unwrap_err(),
                client.delete_query(proto::DeleteQueryRequest { id: id.clone() }).await.unwrap_err(),
            ];
            for status in &refusals {
                if id == BAD {
                    is_bad_name(status, 404);
                } else {
                    is_json(status, Code::NotFound, 400, "QueryNotFound", "q");
                }
            }
        }
        let resumed = client.resume_query(proto::ResumeQueryRequest { id: BAD.into() }).await.unwrap_err();
        is_json(&resumed, Code::NotFound, 400, "QueryNotFound", BAD);
    });
}

#[test]
fn calls_about_queries_and_connectors_of_other_nodes_are_refused() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let mut owner = async |res_type: proto::ResourceType, id: &str| {
            let request = proto::LookupResourceRequest { res_type: res_type as i32, res_id: id.into() };
            clients[0].lookup_resource(request).await.unwrap().into_inner().id as usize - 1
        };
        let query = owner(proto::ResourceType::ResQuery, "q").await;
        let connector = owner(proto::ResourceType::ResConnector, "c").await;
        let wrong = &mut clients[1 - query];
        let extra = "The Query is allocated to a different node";
        for status in [
            wrong.get_query(proto::GetQueryRequest { id: "q".into() }).await.unwrap_err(),
            wrong.resume_query(proto::ResumeQueryRequest { id: "q".into() }).await.unwrap_err(),
            wrong
                .create_query(proto::CreateQueryRequest { query_name: "q".into(), sql: "x".into() })
                .await
                .unwrap_err(),
        ] {
            is_json(&status, Code::FailedPrecondition, 800, "WrongServer", extra);
        }
        let wrong = &mut clients[1 - connector];
        let extra = "Connector is bound to a different node";
        let name = || "c".to_owned();
        for status in [
            wrong.pause_connector(proto::PauseConnectorRequest { name: name() }).await.unwrap_err(),
            wrong.delete_connector(proto::DeleteConnectorRequest { name: name() }).await.unwrap_err(),
        ] {
            is_json(&status, Code::FailedPrecondition, 800, "WrongServer", extra);
        }
    });
}

#[test]
fn sql_is_not_executed_here() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let sql = || "SELECT * FROM v;".to_owned();
        is_not_here(
            &client.execute_query(proto::CommandQuery { stmt_text: sql() }).await.unwrap_err(),
            "SQL",
        );
        is_not_here(&client.parse_sql(proto::ParseSqlRequest { sql: sql() }).await.unwrap_err(), "SQL");
        let request = proto::ExecuteViewQueryRequest { sql: sql() };
        is_not_here(&client.execute_view_query(request).await.unwrap_err(), "SQL");
        let request = proto::ExecuteViewQueryWithNamespaceRequest { sql: sql(), namespace: "n".into() };
        is_not_here(&client.execute_view_query_with_namespace(request).await.unwrap_err(), "SQL");
    });
}

#[test]
fn a_missing_view_has_the_number_of_queries() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let get = |id: &str| proto::GetViewRequest { view_id: id.into() };
        is_bad_name(&client.get_view(get(BAD)).await.unwrap_err(), 503);
        let missing = client.get_view(get("v")).await.unwrap_err();
        is_json(&missing, Code::NotFound, 400, "ViewNotFound", "v");
        let delete =
            |id: &str, ignore_non_exist| proto::DeleteViewRequest { view_id: id.into(), ignore_non_exist };
        is_bad_name(&client.delete_view(delete(BAD, true)).await.unwrap_err(), 503);
        let missing = client.delete_view(delete("v", false)).await.unwrap_err();
        is_json(&missing, Code::NotFound, 400, "ViewNotFound", "v");
        client.delete_view(delete("v", true)).await.unwrap();
    });
}

#[test]
fn a_connector_is_refused_for_its_name_type_target_then_for_lack_of_docker() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let request = |name: &str, kind: &str, target: &str| proto::CreateConnectorRequest {
            name: name.into(),
            r#type: kind.into(),
            target: target.into(),
            config: "{}".into(),
        };
        is_bad_name(&client.create_connector(request(BAD, "x", "y")).await.unwrap_err(), 603);
        let kind = client.create_connector(request("c", "BOTH", "mysql")).await.unwrap_err();
        assert_eq!((parts(&kind).0, parts(&kind).1), (Code::InvalidArgument, 602));
        let target = client.create_connector(request("c", "SINK", "abacus")).await.unwrap_err();
        assert_eq!((parts(&target).0, parts(&target).1), (Code::Unimplemented, 605));
        is_not_here(&client.create_connector(request("c", "SOURCE", "mysql")).await.unwrap_err(), "Docker");
        let spec = |kind: &str, target: &str| proto::GetConnectorSpecRequest {
            r#type: kind.into(),
            target: target.into(),
        };
        assert_eq!(parts(&client.get_connector_spec(spec("", "")).await.unwrap_err()).1, 602);
        assert_eq!(parts(&client.get_connector_spec(spec("SINK", "")).await.unwrap_err()).1, 605);
        is_not_here(&client.get_connector_spec(spec("SINK", "blackhole")).await.unwrap_err(), "Docker");
    });
}

#[test]
fn calls_about_a_connector_find_none_and_deleting_none_is_fine() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let name = || "c".to_owned();
        for status in [
            client.get_connector(proto::GetConnectorRequest { name: name() }).await.unwrap_err(),
            client
                .get_connector_logs(proto::GetConnectorLogsRequest { name: name(), begin: -1, count: -1 })
                .await
                .unwrap_err(),
            client.pause_connector(proto::PauseConnectorRequest { name: name() }).await.unwrap_err(),
            client.resume_connector(proto::ResumeConnectorRequest { name: name() }).await.unwrap_err(),
            client
                .alter_connector_config(proto::AlterConnectorConfigRequest {
                    name: name(),
                    config: "{}".into(),
                })
                .await
                .unwrap_err(),
        ] {
            is_json(&status, Code::NotFound, 600, "ConnectorNotFound", "c");
        }
        client.delete_connector(proto::DeleteConnectorRequest { name: name() }).await.unwrap();
        let bad = proto::DeleteConnectorRequest { name: BAD.into() };
        is_bad_name(&client.delete_connector(bad).await.unwrap_err(), 603);
        let bad = proto::GetConnectorRequest { name: BAD.into() };
        is_bad_name(&client.get_connector(bad).await.unwrap_err(), 603);
    });
}
