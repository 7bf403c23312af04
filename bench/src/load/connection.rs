//! As much of an HTTP/1.1 client as the load needs: one request at a time over a connection that is kept. It shares two
//! cores with what it measures, so it costs little: two system calls a request and no copy of the request.

use anyhow::{Context, bail};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Far more than any answer that is asked for here.
const LARGEST: usize = 64 * 1024 * 1024;

/// A kept connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} cannot be reached"))?;
        // Requests go out whole; Nagle's algorithm would only wait for acknowledgements.
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a whole request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, status, length) = loop {
            self.read().await?;
            if let Some(end) = end_of_head(&self.buffer) {
                let (status, length) = read_head(&self.buffer[..end])?;
                break (end, status, length);
            }
        };
        if length > LARGEST {
            bail!("an answer of {length} bytes");
        }
        let end = head + length;
        while self.buffer.len() < end {
            self.read().await?;
        }
        Ok(Answer { status, body: &self.buffer[head..end] })
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the connection was closed instead of an answer");
        }
        Ok(())
    }
}

fn end_of_head(buffer: &[u8]) -> Option<usize> {
    buffer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The status and the length of the body. Chunks are not read: everything measured here says its length.
fn read_head(head: &[u8]) -> anyhow::Result<(u16, usize)> {
    let head = std::str::from_utf8(head).context("the head is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status = status.context("not an HTTP answer")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    match length {
        Some(length) => Ok((status, length)),
        None if matches!(status, 204 | 304) => Ok((status, 0)),
        None => bail!("an answer ({status}) that does not say its length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let head = |text: &str| read_head(text.as_bytes()).ok();
        assert_eq!(head("HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 12\r\n\r\n"), Some((200, 12)));
        assert_eq!(head("HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 0)));
        assert_eq!(head("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), None);
        assert_eq!(head("nonsense"), None);
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\r\na: b\r\n\r\nbody"), Some(25));
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\r\n"), None);
    }
}
