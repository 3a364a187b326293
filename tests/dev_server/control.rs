//! Commands by name and text, and the port for other programs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use hstreamdb::dev_server::DevServer;
use tonic::Code;

use crate::support::*;

/// A program that steers the server.
struct Desk(BufReader<TcpStream>);

impl Desk {
    fn at(server: &DevServer) -> Self {
        let port = server.open_control(0).unwrap();
        Desk(BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap()))
    }

    fn says(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

#[test]
fn each_command_is_taken_and_answered_in_a_line() {
    let server = fast().nodes(2).listener("out").start().unwrap();
    let mut desk = Desk::at(&server);
    for (line, answer) in [
        ("refuse Append 14 on=s node=0 times=2 percent=50 server is unavailable", "ok"),
        ("refuse_after Append UNAVAILABLE", "ok"),
        ("not_owner GetSubscription on=sub", "ok"),
        ("delay Echo 5 times=always", "ok"),
        ("delay_answer Echo 5", "ok"),
        ("ignore ListStreams", "ok"),
        ("never_answer ListStreams", "ok"),
        ("get pending", "ok 8"),
        ("clear", "ok"),
        ("get pending", "ok 0"),
        ("cut_consumers sub 10 bye", "ok 0"),
        ("cut_calls ReadStream * ABORTED bye", "ok 0"),
        ("break_connections sub", "ok 0"),
        ("fail_subscription sub 13 broken", "ok 0"),
        ("zombies sub * 14", "ok 0"),
        ("half_closed 2 should not reach here", "ok"),
        ("early_headers on", "ok"),
        ("empty_messages off", "ok"),
        ("plain_errors off", "ok"),
        ("version 0.17.0", "ok"),
        ("get version", "ok 0.17.0"),
        ("assignment_tick 5", "ok"),
        ("resend_tick 5", "ok"),
        ("failure_detection 0", "ok"),
        ("startup_delay 0", "ok"),
        ("slow_node 1 0", "ok"),
        ("stop_node 1", "ok"),
        ("get running", "ok yes no"),
        ("restart_node 1", "ok"),
        ("kill_node 1", "ok"),
        ("add_node", "ok 2"),
        ("get running", "ok yes no yes"),
        ("move subscription sub 2", "ok"),
        ("get owner subscription sub", "ok 2"),
        ("get calls Echo", "ok 0"),
    ] {
        assert_eq!(desk.says(line), answer, "{line}");
    }
    assert_eq!(desk.says("get url"), format!("ok {}", server.url()));
    assert_eq!(desk.says("get node_urls"), format!("ok {}", server.node_urls().join(" ")));
    assert_eq!(desk.says("get listener_urls out"), format!("ok {}", server.listener_urls("out").join(" ")));
    assert!(desk.says("help").starts_with("ok refuse RPC STATUS [CHOICE]... [TEXT]; "));
}

#[test]
fn what_is_no_command_is_told_in_a_line() {
    let server = fast().start().unwrap();
    let mut desk = Desk::at(&server);
    for (line, why) in [
        ("", "there is no command"),
        ("nonsense", "there is no command \"nonsense\": refuse, "),
        ("refuse", "something is missing; the form is: refuse RPC STATUS [CHOICE]... [TEXT]"),
        ("refuse Append NEVER", "\"NEVER\" is no status"),
        ("refuse Append 14 times=x", "\"x\" is no such number"),
        ("delay Append -1", "\"-1\" is no such number"),
        ("early_headers perhaps", "neither on nor off"),
        ("version 9.9.9", "0.14.0"),
        ("kill_node 7", "there is no node 7"),
        ("kill_node 99999999999999999999", "no such number"),
        ("restart_node 0", "runs already"),
        ("move planet x 0", "no kind of thing"),
        ("get", "something is missing"),
        ("get nonsense", "there is no question"),
    ] {
        let answer = desk.says(line);
        assert!(answer.starts_with("error ") && answer.contains(why), "{line}: {answer}");
    }
    assert!(server.set("refuse", "").is_err() && server.get("").is_err());
    assert_eq!(desk.says("get pending"), "ok 0", "it goes on");
}

#[test]
fn commands_do_what_they_say() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = create_stream(&mut clients[0], "s", 1).await[0];
        server.set("refuse", "Append 14 on=s  server is  unavailable").unwrap();
        let status =
            append_batch(&mut clients[0], "s", shard, batch(vec![record("", "")])).await.unwrap_err();
        is_plain(&status, Code::Unavailable, "server is  unavailable");
        assert_eq!(server.get("calls Append").unwrap(), "1");
        let own = owner(&mut clients[0], "sub").await;
        assert_eq!(server.get("owner subscription sub").unwrap(), own.to_string());
        server.set("move", &format!("subscription sub {}", 1 - own)).unwrap();
        assert_eq!(owner(&mut clients[0], "sub").await, 1 - own);
        let get = proto::GetSubscriptionRequest { id: "sub".into() };
        assert_eq!(parts(&clients[own].get_subscription(get).await.unwrap_err()).1, 800);
    });
}

#[test]
fn a_taken_control_port_is_named() {
    let server = fast().start().unwrap();
    let error = server.open_control(server.port()).unwrap_err();
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", server.port())), "{error}");
}
