//! The line between a node and its database, which can be cut as a network is: connections stay open, nothing comes through, and
//! what was under way comes late or never.

use std::{io, net::Ipv4Addr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// Carries until it is dropped.
#[derive(Debug)]
pub struct Line {
    /// Where the node finds its database.
    pub port: u16,
    open: watch::Sender<bool>,
    carrier: JoinHandle<()>,
}

impl Line {
    /// To the database's port on this machine.
    pub async fn to(port: u16) -> Self {
        let (open, is_open) = watch::channel(true);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let carrier = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(connect(near, port, is_open.clone()));
            }
        });
        Self { port: own, open, carrier }
    }

    /// From now on nothing comes through.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// What waited comes through.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// Where the database is down the node's connection ends, too.
async fn connect(near: TcpStream, port: u16, mut open: watch::Receiver<bool>) -> Option<()> {
    open.wait_for(|open| *open).await.ok()?;
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    for side in [&near, &far] {
        side.set_nodelay(true).ok()?;
    }
    let ((near_reads, near_writes), (far_reads, far_writes)) = (near.into_split(), far.into_split());
    tokio::select! {
        _ = carry(near_reads, far_writes, open.clone()) => {}
        _ = carry(far_reads, near_writes, open.clone()) => {}
    }
    Some(())
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut open: watch::Receiver<bool>) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        // An end is no more seen through a cut line than bytes are.
        if open.wait_for(|open| *open).await.is_err() || count == 0 {
            return Ok(());
        }
        to.write_all(&bytes[..count]).await?;
    }
}
