package chaos_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between the workers and the server, and lets connections go wrong.
type proxy struct {
	target string
	ln     net.Listener
	deaf   atomic.Bool // swallows notifications, as a pooler in transaction mode does

	mu    sync.Mutex
	links map[*link]struct{}
	gate  chan struct{} // closed while bytes may pass
	pumps sync.WaitGroup
}

// link is one connection of a worker's.
type link struct{ client, server *net.TCPConn }

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, ln: ln, links: make(map[*link]struct{}), gate: make(chan struct{})}
	close(p.gate)
	p.pumps.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) port() int { return p.ln.Addr().(*net.TCPAddr).Port }

func (p *proxy) close() {
	_ = p.ln.Close()
	p.resume()
	p.reset(func() bool { return true })
	p.pumps.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // the server is down
			continue
		}
		p.join(&link{client.(*net.TCPConn), server.(*net.TCPConn)})
	}
}

func (p *proxy) join(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = struct{}{}
	var directions sync.WaitGroup
	directions.Go(func() { p.pumpUp(l); _ = l.server.CloseWrite() })
	directions.Go(func() { p.pumpDown(l); _ = l.client.CloseWrite() })
	p.pumps.Go(func() { directions.Wait(); p.leave(l) })
}

func (p *proxy) leave(l *link) {
	_, _ = l.client.Close(), l.server.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// pumpUp passes on what the worker says.
func (p *proxy) pumpUp(l *link) {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.client.Read(buf)
		p.pass()
		if _, werr := l.server.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// pumpDown passes on what the server says, message by message.
func (p *proxy) pumpDown(l *link) {
	from, to := bufio.NewReaderSize(l.server, 64<<10), bufio.NewWriterSize(l.client, 64<<10)
	for {
		if from.Buffered() == 0 && to.Flush() != nil {
			return
		}
		if p.passMessage(from, to) != nil {
			_ = to.Flush()
			return
		}
	}
}

const notification = 'A' // NotificationResponse of the wire protocol

func (p *proxy) passMessage(from *bufio.Reader, to io.Writer) error {
	header, err := from.Peek(5)
	if err != nil {
		return err
	}
	p.pass()
	if header[0] == notification && p.deaf.Load() {
		to = io.Discard
	}
	_, err = io.CopyN(to, from, 1+int64(binary.BigEndian.Uint32(header[1:])))
	return err
}

// pass waits while the proxy is stalled.
func (p *proxy) pass() {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	<-gate
}

func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gate:
	default:
		close(p.gate)
	}
}

// reset ends the chosen connections at once, in both directions; what is on its
// way is lost.
func (p *proxy) reset(choose func() bool) {
	p.each(choose, func(l *link) {
		for _, conn := range []*net.TCPConn{l.client, l.server} {
			_, _ = conn.SetLinger(0), conn.Close()
		}
	})
}

// halfClose tells one side that the other one has finished, and the other side
// nothing.
func (p *proxy) halfClose(choose, towardsServer func() bool) {
	p.each(choose, func(l *link) {
		if towardsServer() {
			_ = l.server.CloseWrite()
			return
		}
		_ = l.client.CloseWrite()
	})
}

func (p *proxy) each(choose func() bool, do func(*link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if choose() {
			do(l)
		}
	}
}

// echo is a server that sends back what it gets, as messages of the protocol.
func echo(t *testing.T) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { _, _ = io.Copy(conn, conn); _ = conn.Close() })
		}
	})
	return ln.Addr().String()
}

func message(kind byte, text string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(text)))
	return append(b, text...)
}

func TestProxy_SwallowsNotificationsAndNothingElse(t *testing.T) {
	t.Parallel()
	p := newProxy(t, echo(t))
	conn, err := net.Dial("tcp", p.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p.deaf.Store(true)
	want := message('D', "row")
	if _, err := conn.Write(append(message(notification, "tick"), want...)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != string(want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestProxy_ResetAndHalfCloseAreSeen(t *testing.T) {
	t.Parallel()
	always := func() bool { return true }
	for name, trouble := range map[string]func(*proxy){
		"reset":      func(p *proxy) { p.reset(always) },
		"to client":  func(p *proxy) { p.halfClose(always, func() bool { return false }) },
		"to server":  func(p *proxy) { p.halfClose(always, always) },
		"after wait": func(p *proxy) { p.stall(); p.reset(always); p.resume() },
	} {
		p := newProxy(t, echo(t))
		conn, err := net.Dial("tcp", p.ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(message('D', "row")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		trouble(p)
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: the client read on: %v", name, err)
		}
		_ = conn.Close()
	}
}
