//! Addresses and host names: what can be listened on, connected to, or asked for.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use super::{
    Address, bounds,
    findings::{Wrong, shown},
};

const FIX_PORT: &str = "write a port from 1 to 65535";

/// An address to listen on: a literal and a port. Port 0 is any free one, which the log tells.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    let fix = match (text.parse::<SocketAddr>(), text.rsplit_once(':')) {
        (Ok(address), _) => return Ok(address),
        _ if text.parse::<Ipv4Addr>().is_ok() => format!("add a port: {text}:8080"),
        (_, Some(("", port))) if is_port(port) => {
            format!("write 0.0.0.0:{port} for all interfaces")
        }
        (_, Some(("localhost", port))) if is_port(port) => format!("write 127.0.0.1:{port}"),
        (_, Some((host, port))) if is_port(port) && host.parse::<Ipv6Addr>().is_ok() => {
            format!("write \"[{host}]:{port}\"")
        }
        (_, Some((host, _))) if host.parse::<IpAddr>().is_ok() => FIX_PORT.to_owned(),
        _ => "write IP:PORT, such as 127.0.0.1:8080".to_owned(),
    };
    Err(Wrong::new(format!("{} is no listening address", shown(text)), fix))
}

/// An address to connect to.
pub(super) fn connect(text: &str) -> Result<Address, Wrong> {
    let wrong = |fix: String| Wrong::new(format!("{} is no address", shown(text)), fix);
    if let Some(path) = text.strip_prefix("unix:") {
        if !path.starts_with('/') || path.ends_with('/') {
            return Err(wrong("write the socket's whole path: unix:/path.sock".to_owned()));
        }
        if path.len() > bounds::UNIX_PATH_BYTES {
            let most = bounds::UNIX_PATH_BYTES;
            return Err(wrong(format!("use a path of at most {most} bytes")));
        }
        return Ok(Address::Unix(PathBuf::from(path)));
    }
    if let Some((_, rest)) = text.split_once("://") {
        let rest = rest.trim_end_matches('/');
        return Err(wrong(format!("write host:port only, such as {}", with_port(rest))));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(wrong(format!("add the port, such as {}", with_port(text))));
    };
    let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if literal.is_none() && host.contains(':') {
        return Err(wrong("put an IPv6 address in brackets: \"[::1]:8000\"".to_owned()));
    }
    let Some(port) = port_number(port) else {
        return Err(wrong(FIX_PORT.to_owned()));
    };
    match literal {
        Some(v6) if v6.parse::<Ipv6Addr>().is_ok() => {
            Ok(Address::Tcp { host: v6.to_owned(), port })
        }
        Some(_) => Err(wrong("write an IPv6 address in the brackets".to_owned())),
        None => host_name(host).map(|host| Address::Tcp { host, port }),
    }
}

/// A host name or IPv4 address, in lower case.
pub(super) fn host_name(text: &str) -> Result<String, Wrong> {
    let label = |label: &str| {
        (1..=bounds::LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let all_digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if text.len() <= bounds::HOST_BYTES
        && text.split('.').all(label)
        && (!all_digits || text.parse::<IpAddr>().is_ok())
    {
        return Ok(text.to_ascii_lowercase());
    }
    let fix = if !text.is_ascii() {
        "write it in its ASCII form (xn--…)"
    } else if text.ends_with('.') {
        "remove the dot at its end"
    } else {
        "write a name such as www.example.com"
    };
    Err(Wrong::new(format!("{} is no host name", shown(text)), fix))
}

fn is_port(text: &str) -> bool {
    port_number(text).is_some()
}

/// Digits only: `parse` alone would take `+80`.
fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

fn with_port(host: &str) -> String {
    let host = host.split('/').next().unwrap_or(host);
    if host.contains(':') { host.to_owned() } else { format!("{host}:80") }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_as_they_are_written() {
        for text in ["127.0.0.1:80", "[::1]:80", "php-fpm:9000", "unix:/run/php.sock"] {
            assert_eq!(connect(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_nothing_can_connect_to_is_no_address() {
        for text in [
            "",
            "php",
            "php:",
            ":80",
            "php:0",
            "php:65536",
            "php:+80",
            "::1:80",
            "[php]:80",
            "[::1]",
            "unix:",
            "unix:x",
            "unix:/",
            "http://php:80",
            "a b:80",
            "a..b:80",
            "256.0.0.1:80",
        ] {
            assert!(connect(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_listened_on_is_no_listening_address() {
        for text in ["", "8080", ":8080", "localhost:8080", "127.0.0.1", "::1:80"] {
            assert!(listen(text).is_err(), "{text:?}");
        }
        assert!(listen("[::]:443").is_ok());
        assert!(listen("127.0.0.1:0").is_ok());
    }

    #[test]
    fn host_names_are_lower_cased() {
        assert_eq!(host_name("WWW.Example.com"), Ok("www.example.com".to_owned()));
    }
}
