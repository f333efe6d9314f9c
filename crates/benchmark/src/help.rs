//! The usage text.

/// What `--help` prints.
pub const USAGE: &str = "\
Usage: ochre-benchmark [OPTIONS] [--] [COMMAND ARGS...]

Sends commands over many connections and measures throughput and latency. Without
COMMAND the default tests run, one after the other (-t selects some of them).
Several commands separated by ';' are one sequence; a number before a command
repeats it. In arguments these words are replaced:

 __rand_int__       A number of 12 digits below the -r value, a new one each time.
 __rand_1st__       The same, but one number for all its places in a command;
                    likewise __rand_2nd__ to __rand_9th__.
 __data__           A value of -d bytes.

Options:

 -h <hostname>      Server hostname (default 127.0.0.1)
 -p <port>          Server port (default 6379)
 -s <socket>        Server socket (overrides host and port)
 -a <password>      Password for AUTH
 --user <username>  Name for AUTH; needs -a
 -u <uri>           All of these at once: redis://user:password@host:port/dbnum
 -c <clients>       Number of parallel connections (default 50)
 -n <requests>      Number of requests in a test, exactly (default 100000)
 --duration <seconds>
                    Run each test for that long instead of -n requests
 -d <size>          Size of values in bytes (default 3)
 --dbnum <db>       Number of the database (default 0)
 -3                 Speak RESP3
 --threads <num>    Spread the connections over so many threads
 --enable-tracking  Turn CLIENT TRACKING on
 -k <boolean>       1=keep connections, 0=a new connection for each batch (default 1);
                    the time to connect is then part of the latency
 -r <keyspacelen>   Replace number placeholders, with numbers from 0 to keyspacelen-1.
                    Without -r all requests use the same key
 --sequential       Replace them by 0, 1, 2, ... instead of random numbers
 -P <numreq>        Send so many requests before waiting for replies (default 1)
 --rate <requests>  Open loop: send so many requests per second, on schedule. Latency
                    counts from the time when a request should have been sent, so
                    that waiting behind a slow server is not left out. --rps is the
                    same. Just before a request is due the thread polls busily
 -q                 Only one line per test
 --precision <num>  Decimals of latencies in milliseconds, 0 to 3 (default 3)
 --csv              Output as comma-separated values
 --json             Output as one JSON object per test and line
 -l                 Loop: run the tests forever
 -t <tests>         Run only these tests, a list with commas, of:
                    ping (ping_inline, ping_mbulk), set, get, incr, lpush, rpush, lpop,
                    rpop, sadd, hset, spop, zadd, zpopmin, lrange (lrange_100,
                    lrange_300, lrange_500, lrange_600), mset, mget, xadd,
                    function_load, fcall
 -I                 Idle: open the connections and wait
 -x                 Read the last argument of COMMAND from standard input
 --seed <num>       Seed of the random numbers (default: the clock)
 --num-functions <num>
                    Functions in the library of function_load (default 10)
 --num-keys-in-fcall <num>
                    Keys that fcall passes (default 1)
 --help             Print this and exit
 --version          Print the version and exit

Examples:

 Fill a server with a million different keys:
   $ ochre-benchmark -t set -n 1000000 -r 1000000 --sequential -P 64

 See latency at a load that the server can bear:
   $ ochre-benchmark -t get -r 1000000 --rate 50000 --duration 30

 Measure a command of your own:
   $ ochre-benchmark -r 10000 -n 10000 lpush mylist __rand_int__
";
