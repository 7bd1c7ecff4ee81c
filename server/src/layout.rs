//! Servers on this machine only: where each has its files and ports, and the zoo.cfg that says so.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
};
use zabscope_core::members::HostPort;

/// The most servers that one directory holds.
pub const MOST: usize = 255;

/// One server's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// myid.
    pub id: u8,
    /// Its own directory; `data` and `zoo.cfg` are in it.
    pub directory: PathBuf,
    /// For clients.
    pub client_port: u16,
    /// For learners and for elections.
    pub peer_ports: [u16; 2],
}

impl Place {
    /// dataDir.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Its configuration.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.join("zoo.cfg")
    }

    /// Where clients find it.
    #[must_use]
    pub fn client(&self) -> HostPort {
        HostPort {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: self.client_port,
        }
    }

    /// The same as text.
    #[must_use]
    pub fn client_address(&self) -> String {
        self.client().to_string()
    }
}

/// Writes what each of them starts with: zoo.cfg and myid. One place is a server on its own.
///
/// `settings` are lines that all have, as `key`, `value`.
///
/// # Errors
/// The system's; a directory whose name zoo.cfg can't express.
pub fn write(places: &[Place], settings: &[(&str, String)]) -> io::Result<()> {
    let mut common = String::new();
    for (key, value) in settings {
        common.push_str(&format!("{key}={value}\n"));
    }
    if places.len() > 1 {
        for place in places {
            let [quorum, election] = place.peer_ports;
            common.push_str(&format!(
                "server.{}=127.0.0.1:{quorum}:{election};127.0.0.1:{}\n",
                place.id, place.client_port
            ));
        }
    }
    for place in places {
        let data = place.data_dir();
        fs::create_dir_all(&data)?;
        let name = data
            .to_str()
            .filter(|name| !name.contains(['\n', '\r', '\\']))
            .ok_or_else(|| {
                let what = format!("{}: choose a directory with a simple name", data.display());
                io::Error::new(io::ErrorKind::InvalidInput, what)
            })?;
        let mut text = format!("dataDir={name}\n");
        if places.len() == 1 {
            text.push_str(&format!(
                "clientPort={}\nclientPortAddress=127.0.0.1\n",
                place.client_port
            ));
        } else {
            fs::write(data.join("myid"), format!("{}\n", place.id))?;
        }
        text.push_str(&common);
        fs::write(place.file(), text)?;
    }
    Ok(())
}

/// A free port of 127.0.0.1, taken.
///
/// # Errors
/// The system has none.
pub fn listen_anywhere() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}
