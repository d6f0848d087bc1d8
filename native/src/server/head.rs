//! The head of a request: read field by field, judged when it is whole.
//!
//! "Request-Headers → Call-Definition *Custom-Metadata; Call-Definition → Method Scheme Path TE [Authority] [Timeout]
//! Content-Type [Message-Type] [Message-Encoding] [Message-Accept-Encoding] [User-Agent]." Source: PROTOCOL-HTTP2.md.

use std::collections::HashMap;
use std::sync::Arc;

use crate::framing::Encoding;
use crate::metadata::{Headers, Metadata, is_binary_value, is_reserved, text};
use crate::status::{Code, Refusal};
use crate::wire;

/// One method that is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    pub(crate) single: bool,
    pub(crate) message_bytes_max: usize,
}

/// The paths that are served. Clones share the table.
#[derive(Clone, Debug)]
pub struct Methods(Arc<Table>);

#[derive(Debug)]
struct Table {
    places: HashMap<Vec<u8>, u32>,
    methods: Vec<Method>,
}

impl Methods {
    /// Each is: full path, one request message only, bytes of a message at most. Events name a method by its place.
    ///
    /// # Errors
    /// A path that is there twice, or that does not begin with a slash.
    pub fn new(methods: impl IntoIterator<Item = (String, bool, usize)>) -> Result<Self, String> {
        let mut table = Table { places: HashMap::new(), methods: Vec::new() };
        for (path, single, message_bytes_max) in methods {
            if !path.starts_with('/') {
                return Err(format!("method `{path}` rejected: wanted a full path, as /package.Service/Method"));
            }
            let place = u32::try_from(table.methods.len()).map_err(|_| "more methods than fit".to_owned())?;
            if table.places.insert(path.clone().into_bytes(), place).is_some() {
                return Err(format!("method `{path}` rejected: it is named twice"));
            }
            table.methods.push(Method { single, message_bytes_max });
        }
        Ok(Self(Arc::new(table)))
    }

    fn find(&self, path: &[u8]) -> Option<u32> {
        self.0.places.get(path).copied()
    }

    pub(crate) fn get(&self, place: u32) -> Method {
        self.0.methods[place as usize]
    }
}

/// The head of a call, as handlers see it. Calls with equal heads share the fields.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// All of them, in order.
    pub(super) headers: Arc<Headers>,
    pub(super) timeout_s: Option<f64>,
}

impl Request {
    /// Seconds from `grpc-timeout`, None without one.
    #[must_use]
    pub fn timeout_s(&self) -> Option<f64> {
        self.timeout_s
    }

    /// `:authority`, or `host` of a client that sends that; empty without both.
    #[must_use]
    pub fn authority(&self) -> String {
        self.headers.last(b":authority").or_else(|| self.headers.last(b"host")).map(text).unwrap_or_default()
    }

    /// The last value of an ASCII key in lower case.
    #[must_use]
    pub fn header(&self, key: &str) -> Option<String> {
        let key = key.as_bytes();
        if is_reserved(key) || key.ends_with(b"-bin") {
            return None;
        }
        self.headers.last(key).map(text)
    }

    /// All of the caller's metadata, in order.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let mut all = self.headers.metadata();
        all.retain(|(key, _)| !is_reserved(key.as_bytes()));
        all
    }
}

/// How a head is answered that makes no call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A status of HTTP and a line of text: the caller speaks no gRPC.
    NoPost,
    /// The same.
    NoGrpc,
    Status(Refusal),
    /// UNIMPLEMENTED, with the encodings that we speak.
    Encoding(Refusal),
}

/// A head that is accepted.
#[derive(Clone)]
pub(crate) struct Accepted {
    pub(crate) method: u32,
    pub(crate) encoding: Encoding,
    pub(crate) request: Request,
}

/// A head as it comes.
pub(crate) struct Head {
    is_post: bool,
    is_grpc: bool,
    has_te: bool,
    method: Option<u32>,
    path: Vec<u8>,
    encoding: Encoding,
    rejection: Option<Rejection>,
    headers: Headers,
    pub(super) timeout_s: Option<f64>,
}

impl Head {
    pub(crate) fn new() -> Self {
        Self {
            is_post: false,
            is_grpc: false,
            has_te: false,
            method: None,
            path: Vec::new(),
            encoding: Encoding::Identity,
            rejection: None,
            headers: Headers::with_capacity(512),
            timeout_s: None,
        }
    }

    pub(crate) fn push(&mut self, methods: &Methods, name: &[u8], value: &[u8]) {
        self.headers.push(name, value);
        match name {
            b":method" => self.is_post = value == b"POST",
            b":path" => {
                self.method = methods.find(value);
                if self.method.is_none() {
                    self.path = value.to_vec();
                }
            }
            b"te" => self.has_te = value.eq_ignore_ascii_case(b"trailers"),
            b"content-type" => self.is_grpc = is_grpc(value),
            b"grpc-timeout" => self.set_timeout(value),
            b"grpc-encoding" => self.set_encoding(value),
            _ if name.ends_with(b"-bin") && !is_reserved(name) && !is_binary_value(value) => {
                let message = format!("metadata refused: the value of `{}` is no base64", text(name));
                self.reject(Rejection::Status(Refusal::new(Code::Internal, message)));
            }
            _ => (),
        }
    }

    fn reject(&mut self, rejection: Rejection) {
        self.rejection.get_or_insert(rejection);
    }

    fn set_timeout(&mut self, value: &[u8]) {
        self.timeout_s = wire::timeout_s(value);
        if self.timeout_s.is_none() {
            let message = format!("grpc-timeout is `{}`, wanted at most 8 digits and one of H M S m u n", text(value));
            self.reject(Rejection::Status(Refusal::new(Code::Internal, message)));
        }
    }

    fn set_encoding(&mut self, value: &[u8]) {
        if let Some(encoding) = Encoding::named(value) {
            self.encoding = encoding;
            return;
        }
        let message = format!("grpc-encoding is `{}`, wanted identity or gzip", text(value));
        self.reject(Rejection::Encoding(Refusal::new(Code::Unimplemented, message)));
    }

    /// What becomes of the request. Its list has more bytes than `list_bytes_max`: then not all of it was pushed.
    pub(crate) fn judge(self, list_bytes: usize, list_bytes_max: usize) -> Result<Accepted, Rejection> {
        if list_bytes > list_bytes_max {
            let message = format!("metadata refused: it has {list_bytes} bytes, wanted {list_bytes_max} at most");
            return Err(Rejection::Status(Refusal::new(Code::ResourceExhausted, message)));
        }
        if !self.is_post {
            return Err(Rejection::NoPost);
        }
        // "If Content-Type does not begin with `application/grpc`, gRPC servers SHOULD respond with HTTP status of 415".
        if !self.is_grpc {
            return Err(Rejection::NoGrpc);
        }
        // "TE: used to detect incompatible proxies": one that drops it drops trailers, too.
        if !self.has_te {
            let message = "te is missing, wanted trailers: a proxy between may not pass trailers on";
            return Err(Rejection::Status(Refusal::new(Code::Internal, message)));
        }
        if let Some(rejection) = self.rejection {
            return Err(rejection);
        }
        let Some(method) = self.method else {
            let message = format!("method `{}` is not served here", text(&self.path));
            return Err(Rejection::Status(Refusal::new(Code::Unimplemented, message)));
        };
        let request = Request { headers: Arc::new(self.headers), timeout_s: self.timeout_s };
        Ok(Accepted { method, encoding: self.encoding, request })
    }
}

/// "Content-Type → `content-type` `application/grpc` [(`+proto` / `+json` / {custom})]"; not `application/grpc-web`.
fn is_grpc(value: &[u8]) -> bool {
    matches!(value.strip_prefix(b"application/grpc"), Some([] | [b'+' | b';', ..]))
}
