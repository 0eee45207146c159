//! What a link costs while its server is away. In a program of its own, whose time is measured.

use std::time::{Duration, Instant};

use stui::link::Link;
use stui_protocol::connection::ConnectionFile;

/// Processor time of this process: in all its threads, in user and system mode.
fn used() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    // Linux tells programs of a hundred ticks a second, whatever its own are.
    Duration::from_millis(ticks * 10)
}

fn file(port: u16) -> ConnectionFile {
    ConnectionFile {
        endpoint: format!("tcp://127.0.0.1:{port}"),
        key: Some("key".into()),
        dialect: "none".into(),
        pid: std::process::id(),
        protocol_version: "1.0.0".into(),
    }
}

#[test]
fn a_link_whose_server_is_away_costs_next_to_no_processor_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (what, port) in [
        ("silent", silent.local_addr().unwrap().port()),
        ("refusing", {
            let port = refusing.local_addr().unwrap().port();
            drop(refusing);
            port
        }),
    ] {
        let (before, began) = (used(), Instant::now());
        let link = Link::start(Box::new(move || Ok(file(port))), |_| ()).unwrap();
        std::thread::sleep(Duration::from_secs(6));
        let share = (used() - before).as_secs_f64() / began.elapsed().as_secs_f64();
        drop(link);
        eprintln!("{what}: {:.2} % of a processor", 100.0 * share);
        assert!(share < 0.02, "{what}: {share}");
    }
}
