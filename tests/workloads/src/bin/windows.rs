//! Windows of HTTP/2 that are used up, each way by its name; `slow` and `fast` are well. `dwell why` has to tell of each the
//! lines with a mark: CULPRIT (where to look first), HOLDER, VICTIM.
//!
//!     windows NAME
//!
//! Says `there` when it stands, and ends with its standard input.

use h2::client::SendRequest;
use h2::RecvStream;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

type Data = std::io::Cursor<Vec<u8>>;

const MOMENT: Duration = Duration::from_millis(30);
const PIECE: usize = 16384;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
    let stands = std::thread::spawn(|| {
        std::thread::sleep(20 * MOMENT);
        println!("there");
        let _ = std::io::stdout().flush();
    });
    runtime.block_on(async {
        let mut client = connect().await;
        match name.as_str() {
            "unread" => unread(&mut client).await,
            "other_task" => other_task(&mut client).await,
            "kept" => kept(&mut client).await,
            "silent" => silent(&mut client).await,
            "slow" => slow(&mut client).await,
            "fast" => fast(&mut client).await,
            _ => {
                eprintln!("windows: which? unread, other_task, kept, silent, slow, fast");
                std::process::exit(2);
            }
        }
    });
    let _ = stands.join();
}

/// A server of endless bodies, on the same runtime.
async fn connect() -> SendRequest<Data> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (client, connection) = h2::client::Builder::new().handshake(stream).await.expect("a handshake");
    tokio::spawn(connection);
    client
}

async fn serve(stream: TcpStream) {
    let mut connection = h2::server::Builder::new().handshake(stream).await.expect("a handshake");
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        tokio::spawn(async move {
            let mut body = respond.send_response(http::Response::new(()), false).expect("a response");
            loop {
                body.reserve_capacity(PIECE);
                let Some(Ok(room)) = poll_fn(|cx| body.poll_capacity(cx)).await else { break }; // silent: VICTIM
                let piece = Data::new(vec![b'x'; room.min(PIECE)]);
                body.send_data(piece, false).expect("room");
            }
        });
    }
}

async fn get(client: &mut SendRequest<Data>) -> RecvStream {
    poll_fn(|cx| client.poll_ready(cx)).await.expect("a connection");
    let request = http::Request::get("http://localhost/").body(()).expect("a request");
    let (response, _) = client.send_request(request, true).expect("room for a stream");
    response.await.expect("a response").into_body()
}

/// What has been taken of a body may be sent anew.
fn give_back(body: &mut RecvStream, bytes: usize) {
    body.flow_control().release_capacity(bytes).expect("no more than has come");
}

async fn take(mut body: RecvStream, pause: Duration) {
    while let Some(Ok(piece)) = body.data().await {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        give_back(&mut body, piece.len());
    }
}

// unread: window used up
/// One response is kept for later; it fills the window of the connection.
async fn unread(client: &mut SendRequest<Data>) {
    let first = get(client).await; // unread: HOLDER
    sleep(2 * MOMENT).await;
    let mut second = get(client).await;
    while let Some(Ok(piece)) = second.data().await { // unread: CULPRIT
        give_back(&mut second, piece.len());
    }
    take(first, MOMENT).await;
}

// other_task: window used up
/// The same, but another task keeps it.
async fn other_task(client: &mut SendRequest<Data>) {
    let first = get(client).await;
    let keeper = tokio::spawn(async move {
        let body = first; // other_task: HOLDER
        sleep(Duration::from_secs(1000)).await;
        take(body, MOMENT).await;
    });
    sleep(2 * MOMENT).await;
    let mut second = get(client).await;
    while let Some(Ok(piece)) = second.data().await { // other_task: CULPRIT
        give_back(&mut second, piece.len());
    }
    let _ = keeper.await;
}

// kept: window used up
/// What has been taken is never given back.
async fn kept(client: &mut SendRequest<Data>) {
    let mut body = get(client).await; // kept: HOLDER
    while let Some(Ok(_)) = body.data().await {} // kept: CULPRIT
}

// silent: window used up
/// The client does something else.
async fn silent(client: &mut SendRequest<Data>) {
    let body = get(client).await; // silent: HOLDER
    sleep(Duration::from_secs(1000)).await;
    take(body, MOMENT).await;
}

/// The window is used up most of the time, since the client is slow; but it goes on.
async fn slow(client: &mut SendRequest<Data>) {
    let body = get(client).await;
    take(body, MOMENT).await;
}

async fn fast(client: &mut SendRequest<Data>) {
    let first = get(client).await;
    let second = get(client).await;
    tokio::join!(take(first, Duration::ZERO), take(second, Duration::ZERO));
}
