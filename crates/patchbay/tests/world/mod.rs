//! The built program, in a folder of its own, undisturbed by the environment that the tests run in.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long anything may take before the test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    /// A fresh one.
    pub fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("patchbay-cli-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder.canonicalize().unwrap())
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A command on this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        command.args(arguments).arg("--data-dir").arg(&self.0).current_dir(&self.0).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            let ours = name.to_str().is_some_and(|name| {
                ["PATCHBAY_", "TWILIO_", "PG"].iter().any(|prefix| name.starts_with(prefix))
                    || name == "DATABASE_URL"
            });
            if ours {
                command.env_remove(name);
            }
        }
        if let Some(folder) = env::var_os("PATCHBAY_PG_BIN") {
            command.env("PATCHBAY_PG_BIN", folder);
        }
        command
    }

    /// Runs a command that works, and answers what it says to machines.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", output.stdout))
    }

    /// Starts a command that runs on, and waits until it says that it does.
    #[track_caller]
    pub fn serve(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = self.command(arguments);
        if !arguments.contains(&"--role") && !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.arg("--json").envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{arguments:?} says {line:?}: {error}"));
        let listens =
            ["listen", "url", "probe"].iter().find_map(|name| said[name].as_str()).unwrap_or_default();
        let address = listens.trim_start_matches("http://").to_owned();
        Server { child, url: listens.to_owned(), address }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Ok(note) = fs::read_to_string(self.path("postgres/postmaster.pid"))
            && let Some(pid) = note.lines().next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A command that runs on.
pub struct Server {
    child: Child,
    pub url: String,
    pub address: String,
}

impl Server {
    /// The body of an answer.
    pub fn get(&self, path: &str) -> String {
        let answer = self
            .exchange(&format!("GET {path} HTTP/1.0\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address));
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        body.to_owned()
    }

    /// The whole answer to JSON.
    pub fn post(&self, path: &str, key: &str, body: &str) -> String {
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    /// A connection on which an answer has been asked for.
    pub fn open(&self, path: &str, key: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends `INT`, `TERM` or `KILL`.
    pub fn signal(&self, name: &str) {
        let signal = match name {
            "INT" => Signal::INT,
            "TERM" => Signal::TERM,
            _ => Signal::KILL,
        };
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sends a signal and waits for the end.
    pub fn stop(self, signal: &str) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago.
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Reads until `part` has come.
pub fn read_until(stream: &mut TcpStream, part: &str) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&seen).contains(part) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the stream ended after {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..count]);
    }
}
