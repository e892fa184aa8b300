package child

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort avoids the ports that Linux (from 32768) and macOS (from 49152) give
// to outgoing connections: one of those might take the port of a server that is
// down for a moment, and it could not be restarted.
func FreePort() (int, error) {
	const first, count, attempts = 20000, 12000, 100
	for range attempts {
		port := first + rand.IntN(count)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1 between 20000 and 32000")
}
