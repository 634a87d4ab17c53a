//! A small HTTP service to be scaled, and what such a service owes: readiness, a stop that loses no
//! request, metrics, and that one failing request takes no other with it. README.md says which lines
//! do which. It keeps nothing between requests: any replica answers any of them.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use std::{env, fs, io, path::PathBuf, process, process::ExitCode, str::FromStr};

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header::CONNECTION};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use hyper::server::conn::http1;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::{server::graceful::GracefulShutdown, service::TowerToHyperService};
use prometheus::{HistogramVec, IntGauge, TextEncoder, register_histogram_vec, register_int_gauge};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};
use tower_http::catch_panic::CatchPanicLayer;

const USAGE: &str = "usage: rust-axum [--host IP] [--port N] [--socket PATH] [--upstream URL]";
const BACKLOG: u32 = 4096; // connections that may wait to be accepted
const HEAD_TIMEOUT: Duration = Duration::from_secs(10); // or idle; the gateway keeps one for 4 s
const LAST_REQUESTS: Duration = Duration::from_millis(100); // for what is on its way when it stops
const LONGEST_WORK: u64 = 60_000; // milliseconds
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(10);
const UPSTREAM_LIMIT: usize = 1 << 20; // bytes of its answer

// OpenTelemetry's names, as Prometheus spells them, and OpenTelemetry's buckets.
static ACTIVE: LazyLock<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("http_server_active_requests", "Requests being answered.").unwrap()
});
static DURATION: LazyLock<HistogramVec> = LazyLock::new(|| {
    register_histogram_vec!(
        "http_server_request_duration_seconds",
        "From a request's head to its answer.",
        &["http_request_method", "http_route", "http_response_status_code"],
        vec![0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
    )
    .unwrap()
});

type Shared = State<Arc<Service>>;

struct Service {
    draining: AtomicBool,
    upstream: Option<Uri>,
    client: Client<HttpConnector, Body>,
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(async || format!("hello from process {}\n", process::id())))
        .route("/work/{milliseconds}", get(work))
        .route("/upstream", get(upstream))
        .route("/panic", get(async || -> StatusCode { panic!("a bug in a handler") }))
        .route_layer(CatchPanicLayer::new())
        .route_layer(from_fn(measure))
        // What is below is not measured: a probe is nobody's request.
        .route("/healthz", get("ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(service.clone(), close_when_draining))
        .with_state(service)
}

/// Answers after so many milliseconds, and blocks no other request meanwhile.
async fn work(Path(milliseconds): Path<u64>) -> String {
    sleep(Duration::from_millis(milliseconds.min(LONGEST_WORK))).await;
    format!("worked in process {}\n", process::id())
}

async fn ready(State(service): Shared) -> (StatusCode, &'static str) {
    match service.draining.load(Relaxed) {
        false => (StatusCode::OK, "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    }
}

async fn metrics() -> Result<String, StatusCode> {
    let page = TextEncoder::new().encode_to_string(&prometheus::gather());
    page.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// What the upstream answers. Connections to it are kept, and shared by all requests.
async fn upstream(State(service): Shared) -> Response {
    let Some(uri) = service.upstream.clone() else {
        return (StatusCode::NOT_FOUND, "started without --upstream\n").into_response();
    };
    let call = async {
        let answer = service.client.get(uri).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = to_bytes(Body::new(answer.into_body()), UPSTREAM_LIMIT).await;
        body.map(|body| (status, body)).map_err(|error| error.to_string())
    };
    match timeout(UPSTREAM_TIMEOUT, call).await {
        Ok(Ok(answer)) => answer.into_response(),
        Ok(Err(error)) => (StatusCode::BAD_GATEWAY, format!("upstream: {error}\n")).into_response(),
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, "upstream: no answer\n").into_response(),
    }
}

fn pooled_client() -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(Duration::from_secs(1)));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(15))
        .pool_max_idle_per_host(32)
        .build(connector)
}

/// Counts a request until it is dropped: answered, or given up by its client.
struct Active;

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.dec();
    }
}

async fn measure(route: MatchedPath, request: Request, next: Next) -> Response {
    ACTIVE.inc();
    let (start, _active) = (Instant::now(), Active);
    // Anyone can make up a method, and each would be a series of its own.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        _ => "_OTHER",
    };
    let response = next.run(request).await;
    let status = response.status();
    let duration = DURATION.with_label_values(&[method, route.as_str(), status.as_str()]);
    duration.observe(start.elapsed().as_secs_f64());
    response
}

async fn close_when_draining(State(service): Shared, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if service.draining.load(Relaxed) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn bind(options: &Options) -> io::Result<Self> {
        let Some(path) = &options.socket else {
            let address = SocketAddr::new(options.host, options.port);
            let tcp = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            tcp.set_reuseaddr(true)?;
            tcp.bind(address)?;
            let tcp = tcp.listen(BACKLOG)?;
            eprintln!("rust-axum: listening on {}", tcp.local_addr()?);
            return Ok(Self::Tcp(tcp));
        };
        // One that was left behind; never a file that is something else.
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            fs::remove_file(path)?;
        }
        let unix = UnixSocket::new_stream()?;
        unix.bind(path)?;
        let unix = unix.listen(BACKLOG)?;
        eprintln!("rust-axum: listening on unix:{}", path.display());
        Ok(Self::Unix(unix))
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(tcp) => {
                let (stream, _) = tcp.accept().await?;
                stream.set_nodelay(true)?; // small answers are not held back
                Box::new(stream)
            }
            Self::Unix(unix) => Box::new(unix.accept().await?.0),
        })
    }
}

/// Serves until SIGTERM or SIGINT, and then until all is answered; a second signal ends it at once.
async fn serve(options: Options) -> io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut stop = async || tokio::select! { _ = term.recv() => (), _ = int.recv() => () };
    let listener = Listener::bind(&options)?;
    let service = Arc::new(Service {
        draining: AtomicBool::new(false),
        upstream: options.upstream,
        client: pooled_client(),
    });
    let handler = TowerToHyperService::new(router(service.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let open = GracefulShutdown::new();
    let accept = async || -> Infallible {
        loop {
            let Ok(stream) = listener.accept().await else {
                // Out of descriptors, most likely, and some will be free again.
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            let connection = http.serve_connection(TokioIo::new(stream), handler.clone());
            tokio::spawn(open.watch(connection)); // if it fails, its client left or sent no HTTP
        }
    };

    tokio::select! { never = accept() => match never {}, () = stop() => () }
    eprintln!("rust-axum: draining");
    service.draining.store(true, Relaxed);
    let _ = timeout(LAST_REQUESTS, accept()).await; // takes what waits in the backlog
    drop(listener);
    tokio::select! {
        () = open.shutdown() => options.socket.map_or(Ok(()), fs::remove_file), // all is answered
        () = stop() => Err(io::Error::other("a second signal")),
    }
}

struct Options {
    host: IpAddr,
    port: u16,
    socket: Option<PathBuf>,
    upstream: Option<Uri>,
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: found {text:?}\n{USAGE}"))
}

fn read_options() -> Result<Options, String> {
    let mut options = Options {
        host: Ipv4Addr::LOCALHOST.into(),
        port: env::var("PORT").map_or(Ok(8080), |port| parse("$PORT", &port))?,
        socket: env::var_os("SOCKET").map(PathBuf::from),
        upstream: None,
    };
    let mut arguments = env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match flag.as_str() {
            "--host" => options.host = parse(&flag, &value)?,
            "--port" => options.port = parse(&flag, &value)?,
            "--socket" => options.socket = Some(value.into()),
            "--upstream" => options.upstream = Some(parse(&flag, &value)?),
            _ => return Err(format!("{flag}: there is no such flag\n{USAGE}")),
        }
    }
    Ok(options)
}

#[tokio::main]
async fn main() -> ExitCode {
    let served = async { serve(read_options()?).await.map_err(|error| error.to_string()) };
    let Err(error) = served.await else { return ExitCode::SUCCESS };
    eprintln!("rust-axum: {error}");
    ExitCode::FAILURE
}
