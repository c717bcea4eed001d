//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
A server for trials and tests of uploads: three vendor APIs, an S3 store, the proxies and the backend
that a customer would write, and a network that breaks on demand. Listens on loopback only.

Usage: partway-sandbox [options]

  --port N            port of the app; the store and the vendors follow at N+1 to N+4.
                      0 (default) takes any free ports
  --root DIR          repository with www/ and pkg/ (default: the current folder)
  --data DIR          folder for objects (default: a temporary folder, removed at exit)
  --serve DIR         serve this folder at /extra/ too
  --exit-with-parent  exit when standard input closes

An existing store (Garage, MinIO, Ceph, AWS, ...) instead of the embedded one:

  --s3-endpoint URL   its address, path style: https://s3.eu-west-1.amazonaws.com
  --s3-bucket NAME    an existing bucket
  --s3-region REGION  (default: us-east-1)
  --s3-access-key KEY
  --s3-secret-key KEY or in the environment, as PARTWAY_S3_SECRET_KEY

When all listeners are ready, the server prints their addresses on standard output, as one line of JSON.
";

/// The options of the server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port of the app; 0 is any free port.
    pub port: u16,
    /// The folder with `www/` and `pkg/`.
    pub root: PathBuf,
    /// The folder for objects; `None` is a temporary one.
    pub data: Option<PathBuf>,
    /// A folder that is served at `/extra/`.
    pub serve: Option<PathBuf>,
    /// Whether the server exits when standard input closes.
    pub exit_with_parent: bool,
    /// An existing store instead of the embedded one.
    pub s3: Option<ExternalStore>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, root: ".".into(), data: None, serve: None, exit_with_parent: false, s3: None }
    }
}

/// An existing store.
#[derive(Clone, Eq, PartialEq)]
pub struct ExternalStore {
    /// Its endpoint without a slash at the end: `http://127.0.0.1:3900`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The region of signatures.
    pub region: String,
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

impl std::fmt::Debug for ExternalStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, bucket, region, .. } = self;
        write!(formatter, "{endpoint}/{bucket} ({region})")
    }
}

/// What the command line requests.
#[derive(Debug)]
pub enum Command {
    /// Run the server.
    Serve(Box<Options>),
    /// Print the help.
    Help,
}

/// Parses the arguments after the program's name.
///
/// # Errors
/// The message names the invalid argument and what was expected.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut options = Options::default();
    let [mut endpoint, mut bucket, mut region, mut access_key, mut secret_key] = [const { None::<String> }; 5];
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, mut inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (argument, None),
        };
        let mut value =
            || inline.take().or_else(|| arguments.next()).ok_or_else(|| format!("{name} needs a value; see --help"));
        match name.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "--exit-with-parent" => options.exit_with_parent = true,
            "--port" => {
                let text = value()?;
                options.port =
                    text.parse().map_err(|_| format!("--port must be a number from 0 to 65535, not {text:?}"))?;
            }
            "--root" => options.root = value()?.into(),
            "--data" => options.data = Some(value()?.into()),
            "--serve" => options.serve = Some(value()?.into()),
            "--s3-endpoint" => endpoint = Some(value()?),
            "--s3-bucket" => bucket = Some(value()?),
            "--s3-region" => region = Some(value()?),
            "--s3-access-key" => access_key = Some(value()?),
            "--s3-secret-key" => secret_key = Some(value()?),
            other => return Err(format!("unknown option {other}; see --help")),
        }
        if inline.is_some() {
            return Err(format!("{name} takes no value; remove it, see --help"));
        }
    }
    if options.port > u16::MAX - 4 {
        return Err(format!(
            "--port must be at most 65531, not {}: the server needs the four ports after it too",
            options.port
        ));
    }
    let secret_key = secret_key.or_else(|| std::env::var("PARTWAY_S3_SECRET_KEY").ok());
    options.s3 = match endpoint {
        None if bucket.is_some() || region.is_some() || access_key.is_some() => {
            return Err("--s3-bucket, --s3-region and --s3-access-key need --s3-endpoint too; see --help".into());
        }
        None => None,
        Some(endpoint) => {
            let needed = |value: Option<String>, name: &str| {
                value.filter(|value| !value.is_empty()).ok_or_else(|| format!("--s3-endpoint needs {name} too"))
            };
            if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
                return Err(format!("--s3-endpoint must begin with http:// or https://, not be {endpoint:?}"));
            }
            Some(ExternalStore {
                endpoint: endpoint.trim_end_matches('/').to_owned(),
                bucket: needed(bucket, "--s3-bucket")?,
                region: region.unwrap_or_else(|| "us-east-1".into()),
                access_key: needed(access_key, "--s3-access-key")?,
                secret_key: needed(secret_key, "--s3-secret-key")?,
            })
        }
    };
    Ok(Command::Serve(Box::new(options)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        match parse(line.split_whitespace().map(str::to_owned))? {
            Command::Serve(options) => Ok(*options),
            Command::Help => Err("help".into()),
        }
    }

    #[test]
    fn options_are_read() {
        let options = read("--port 8787 --root=/srv --exit-with-parent").unwrap();
        assert_eq!((options.port, options.root.to_str(), options.exit_with_parent), (8787, Some("/srv"), true));
        let store = read("--s3-endpoint http://h:3900/ --s3-bucket b --s3-access-key a --s3-secret-key s").unwrap();
        let store = store.s3.unwrap();
        assert_eq!((store.endpoint.as_str(), store.region.as_str()), ("http://h:3900", "us-east-1"));
        assert!(!format!("{store:?}").contains("s\""));
    }

    #[test]
    fn errors_name_the_argument() {
        for (line, word) in [
            ("--ports 1", "--ports"),
            ("--port x", "\"x\""),
            ("--port 65534", "65534"),
            ("--port", "value"),
            ("--exit-with-parent=1", "no value"),
            ("--s3-bucket b", "--s3-endpoint"),
            ("--s3-endpoint h:1", "http://"),
            ("--s3-endpoint http://h --s3-bucket b --s3-secret-key s", "--s3-access-key"),
        ] {
            let message = read(line).unwrap_err();
            assert!(message.contains(word), "{line}: {message}");
        }
    }
}
