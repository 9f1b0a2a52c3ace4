//! The keys of kinds of checks that ask a port or read a file. A name that kinds use in different ways stands once for
//! each.

use super::Key;
use super::Shape::{Flag, Number, OneOf, Size, Span, Table as At, Text, Texts};

const ENDS: &[&str] = &["tls", "expires"];
const FILE: &[&str] = &["file"];
const TLS: &[&str] = &["tls"];
const EXPIRES: &[&str] = &["expires"];
const METRICS: &[&str] = &["metric"];
const LOG: &[&str] = &["log"];
const LINES: super::Shape = Number { least: 1, most: 1_000_000_000 };

pub(super) const ADDRESS: Key = Key::new("address", Text, "the port that is connected to")
    .range("`host:port`")
    .needed()
    .example("\"127.0.0.1:6379\"")
    .of(&["tcp", "tls"]);
pub(super) const SEND: Key = Key::new("send", Text, "what is said first")
    .range("up to 1,024 bytes")
    .else_("nothing")
    .example("\"PING\\r\\n\"")
    .of(&["tcp"]);
pub(super) const EXPECT: Key =
    Key::new("expect", Text, "what must stand somewhere in the first 4 KiB of the answer")
        .range("up to 1,024 bytes")
        .else_("nothing: a connection is enough")
        .example("\"+PONG\"")
        .of(&["tcp"]);
pub(super) const URL: Key = Key::new(
    "url",
    Text,
    "the page that is asked for; of kind `metric` a Prometheus text page of up to 4 MiB",
)
.range("`http://` or `https://`")
.needed()
.example("\"http://127.0.0.1:8080/\"")
.of(&["http", "metric"]);
pub(super) const STATUS: Key =
    Key::new("status", Number { least: 100, most: 599 }, "the status that is good")
        .range("100 to 599")
        .usual("200")
        .of(&["http"]);
pub(super) const SERVER_NAME: Key =
    Key::new("server_name", Text, "the name that the certificate must be for")
        .else_("the address' own name")
        .example("\"www.example\"")
        .of(TLS);
pub(super) const CA: Key = Key::new(
    "ca",
    Text,
    "PEM file, read with the configuration: CAs to believe, or the server's own certificate",
)
.else_("the system's CAs")
.example("\"ca.pem\"")
.of(TLS);
pub(super) const STARTTLS: Key =
    Key::new("starttls", OneOf(&["smtp", "imap", "postgres"]), "what is spoken before TLS")
        .else_("nothing: TLS comes first")
        .example("\"smtp\"")
        .of(TLS);
pub(super) const EXPIRES_FILE: Key =
    Key::new("file", Text, "PEM or DER file: of its certificates the one that ends first")
        .range("at most 1 MiB")
        .else_("this or `date`")
        .example("\"cert.pem\"")
        .of(EXPIRES);
pub(super) const DATE: Key = Key::new("date", Text, "when it ends; a day begins at midnight UTC")
    .range("a day, or a moment with its zone")
    .else_("this or `file`")
    .example("\"2027-03-01\"")
    .of(EXPIRES);
pub(super) const WHAT: Key = Key::new("what", Text, "what ends, for people; with `date`")
    .range("1 to 100 bytes")
    .else_("`it`")
    .example("\"the domain\"")
    .of(EXPIRES);
pub(super) const LEFT_DEGRADED: Key =
    Key::new("degraded", Span, "with so much left it is degraded; whole hours")
        .range("up to 10 years, more than `down`")
        .usual("\"14d\"")
        .of(ENDS);
pub(super) const LEFT_DOWN: Key = Key::new("down", Span, "with so much left it is down; whole hours")
    .range("up to 10 years")
    .usual("\"2d\"")
    .of(ENDS);
pub(super) const PATH: Key =
    Key::new("path", Text, "which file; its names may be patterns of `*`, `?`, `[..]`")
        .range("at most 10,000 names are read")
        .needed()
        .example("\"/run/app.ready\"")
        .of(FILE);
pub(super) const STATE: Key = Key::new("state", OneOf(&["present", "absent"]), "whether it should be there")
    .usual("\"present\"")
    .of(FILE);
pub(super) const AGE: Key = Key::new(
    "max_age",
    Span,
    "since its content changed: from there on it is down. An absent one may be there so long",
)
.range("1 s to 10 years")
.else_("no limit")
.example("\"1h\"")
.of(FILE);
pub(super) const OF: Key = Key::new("of", OneOf(&["newest", "oldest"]), "which of several matches is judged")
    .else_("`newest`; of absent ones `oldest`")
    .example("\"newest\"")
    .of(FILE);
pub(super) const MIN_SIZE: Key = Key::new("min_size", Size, "bytes that it has at least")
    .range("bytes, or a text with B, KiB, MiB or GiB")
    .else_("no limit")
    .example("\"1KiB\"")
    .of(FILE);
pub(super) const MAX_SIZE: Key = Key::new("max_size", Size, "bytes that it has at most")
    .range("bytes, or a text with B, KiB, MiB or GiB")
    .else_("no limit")
    .example("\"10MiB\"")
    .of(FILE);
pub(super) const MODE: Key = Key::new("mode", Text, "its permissions")
    .range("as chmod takes it")
    .else_("any")
    .example("\"0640\"")
    .of(FILE);
pub(super) const OWNER: Key =
    Key::new("owner", Text, "whose it is").range("name or number").else_("any").example("\"root\"").of(FILE);
pub(super) const GROUP: Key =
    Key::new("group", Text, "its group").range("name or number").else_("any").example("\"adm\"").of(FILE);
pub(super) const CONTAINS: Key = Key::new("contains", Text, "a text in it; 16 MiB are read at most")
    .range("1 to 1,024 bytes")
    .else_("any")
    .example("\"ready\"")
    .of(FILE);
pub(super) const SHA256: Key =
    Key::new("sha256", Text, "what `sha256sum` prints of it; 16 MiB are read at most")
        .range("64 digits")
        .else_("any")
        .example("\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"")
        .of(FILE);
pub(super) const METRIC: Key = Key::new("metric", Text, "which series")
    .range("a name and maybe labels, up to 512 bytes")
    .needed()
    .example("'requests_total{code=\"500\"}'")
    .of(METRICS);
pub(super) const PER: Key = Key::new("per", Text, "series by which it is divided; nothing of nothing is 0")
    .range("as `metric`")
    .example("\"requests_total\"")
    .of(METRICS);
pub(super) const RATE: Key =
    Key::new("rate", Flag, "growth per second since the look before, of counters").usual("false").of(METRICS);
pub(super) const COMBINE: Key =
    Key::new("combine", OneOf(&["sum", "max", "min", "first"]), "what is made of several series")
        .else_("there must be one")
        .example("\"sum\"")
        .of(METRICS);
pub(super) const UNUSUAL: Key = super::host::UNUSUAL.of(METRICS);
pub(super) const ABOVE_KEY: Key =
    Key::new("above", At("above"), "limits where high values are bad; not with `below`")
        .else_("it must be there, no more")
        .example("{ degraded = 0.01, down = 0.05 }")
        .of(METRICS);
pub(super) const BELOW_KEY: Key =
    Key::new("below", At("below"), "limits where low values are bad; not with `above`")
        .else_("it must be there, no more")
        .example("{ degraded = 20, down = 5.5 }")
        .of(METRICS);
pub(super) const LOG_FILE: Key = Key::new("file", Text, "a file that grows, over its rotations")
    .else_("this or `unit`")
    .example("\"/var/log/app.log\"")
    .of(LOG);
pub(super) const LOG_UNIT: Key = Key::new("unit", Text, "a unit whose journal is read")
    .range("its whole name")
    .else_("this or `file`")
    .example("\"app.service\"")
    .of(LOG);
pub(super) const MATCH: Key = Key::new("match", Text, "lines that count")
    .range("an expression of up to 512 bytes; classes and case are ASCII's")
    .needed()
    .example("'ERROR'")
    .of(LOG);
pub(super) const IGNORE: Key = Key::new("ignore", Texts, "lines that do not count, although they match")
    .range("up to 16 expressions")
    .else_("nothing")
    .example("['ERROR: try again']")
    .of(LOG);
pub(super) const LINES_DEGRADED: Key =
    Key::new("degraded", LINES, "so many lines since the last look make it degraded")
        .range("1 to 1000000000")
        .example("1")
        .of(LOG);
pub(super) const LINES_DOWN: Key = Key::new("down", LINES, "so many lines since the last look make it down")
    .range("from degraded on")
    .else_("1; none if `degraded` is given")
    .example("10")
    .of(LOG);
