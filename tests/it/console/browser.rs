//! A browser without a script: keeps a cookie, sends forms as browsers do, and follows nothing by itself.

use std::fmt::Write as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::codegen::http::StatusCode;

use crate::world::{World, soon};

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// A header; empty without it.
    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    }
}

/// A browser.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) host: String,
    /// `name=value` of the cookie.
    pub(crate) cookie: Option<String>,
}

impl Browser {
    /// A browser before the console of a world.
    pub(crate) fn of(world: &World) -> Self {
        let origin = world.server().console_origin().expect("a console");
        Self { host: origin.strip_prefix("http://").expect("no TLS").to_owned(), cookie: None }
    }

    /// The origin of the console.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[("sec-fetch-site", "same-origin")], "").await
    }

    /// Sends a form of the console.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let origin = self.origin();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        self.send("POST", path, &headers, &body.join("&")).await
    }

    /// Sends a request with these headers, and keeps the cookie that comes back.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.host);
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").expect("a text");
        }
        if let Some(cookie) = &self.cookie {
            write!(request, "cookie: {cookie}\r\n").expect("a text");
        }
        if method == "POST" {
            let kind = "application/x-www-form-urlencoded";
            write!(request, "content-type: {kind}\r\ncontent-length: {}\r\n", body.len()).expect("a text");
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = TcpStream::connect(&self.host).await.expect("connects");
        stream.write_all(request.as_bytes()).await.expect("is sent");
        let mut bytes = Vec::new();
        soon(stream.read_to_end(&mut bytes)).await.expect("an answer");
        let reply = read(&String::from_utf8(bytes).expect("text"));
        for (name, value) in &reply.headers {
            if name == "set-cookie" {
                let pair = value.split(';').next().unwrap_or_default();
                self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
            }
        }
        reply
    }
}

fn read(answer: &str) -> Reply {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Reply { status: status.parse().expect("a status"), headers, body: body.to_owned() }
}

fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(byte.into());
        } else {
            write!(escaped, "%{byte:02X}").expect("a text");
        }
    }
    escaped
}

/// The value of a hidden field of a page.
pub(crate) fn field(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.split(&field).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no field {name} in {page}")).to_owned()
}
