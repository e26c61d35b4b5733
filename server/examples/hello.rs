//! The least that axum can do: the bar that requests a second are measured against (`make bench`).
//!
//! usage: hello PORT

use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: hello PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, Router::new().route("/", get(|| async { "hello\n" }))).await?;
    Ok(())
}
