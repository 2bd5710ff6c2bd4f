//! A file server on tokio: a request is as long as the part of the file that it asks for, and that is the answer.
//!
//! `files serve` prints its port and serves until SIGTERM or the end of standard input. The file is its own program, so
//! that it needs none beside it. It is opened for each request, as a server of many files would do.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use truth::Options;

fn main() -> io::Result<()> {
    let mut options = Options::parse("files", "serve", &[], &[]);
    options.ready();
    if options.words.first().map(String::as_str) != Some("serve") {
        options.fail("the only mode is serve");
    }
    let stop = Arc::new(Notify::new());
    truth::stop_when_told(&stop);
    options.runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        io::stdout().flush()?;
        tokio::spawn(listen(listener));
        stop.notified().await;
        io::Result::Ok(())
    })?;
    options.finish();
    Ok(())
}

async fn listen(listener: TcpListener) {
    let path = std::env::current_exe().expect("a program");
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, path.clone()));
    }
}

/// Of a request and its answer: the length of what follows.
const HEAD: usize = 4;

async fn serve(mut stream: TcpStream, path: PathBuf) {
    let mut request = vec![0; 4096];
    let mut content = vec![0; 4096];
    loop {
        let Ok(length @ 1..) = stream.read(&mut request).await else { return };
        let mut file = File::open(&path).await.expect("the program is there");
        content[..HEAD].copy_from_slice(&request[..HEAD]);
        file.read_exact(&mut content[HEAD..length]).await.expect("it is longer");
        if stream.write_all(&content[..length]).await.is_err() {
            return;
        }
    }
}
