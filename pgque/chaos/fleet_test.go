package chaos_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fleet keeps worker processes running: whoever dies is started again.
type fleet struct {
	t       *testing.T
	dsn     string
	book    *book
	members []*member
	keepers sync.WaitGroup
}

// member is one place in the fleet, with one process after the other.
type member struct {
	fleet      *fleet
	role, name string

	mu       sync.Mutex
	process  *os.Process // nil between two lives
	lives    int
	retiring bool // not to be started again
	retired  chan struct{}
}

func newFleet(t *testing.T, dsn string, b *book) *fleet {
	f := &fleet{t: t, dsn: dsn, book: b}
	t.Cleanup(func() {
		for _, m := range f.members {
			m.retire(syscall.SIGKILL)
		}
		f.keepers.Wait()
	})
	return f
}

func (f *fleet) hire(role string, n int) {
	for i := range n {
		m := &member{fleet: f, role: role, name: fmt.Sprintf("%s-%d", role, i+1), retired: make(chan struct{})}
		f.members = append(f.members, m)
		f.keepers.Go(m.keep)
	}
}

// keep is the member's lives, one after the other.
func (m *member) keep() {
	defer close(m.retired)
	for {
		wait, err := m.start()
		if err != nil {
			m.fleet.t.Errorf("start %s: %v", m.name, err)
			return
		}
		if wait == nil {
			return
		}
		m.fleet.judge(m, wait())
	}
}

// start returns nil when the member has retired.
func (m *member) start() (wait func() error, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.retiring {
		return nil, nil
	}
	log, err := os.OpenFile(filepath.Join(m.fleet.t.ArtifactDir(), m.name+".log"),
		os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+m.role, nameEnv+"="+m.name, dsnEnv+"="+m.fleet.dsn)
	cmd.Stderr = log
	if _, err := cmd.StdinPipe(); err != nil { // its end tells the worker that we are gone
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	m.process = cmd.Process
	m.lives++
	return func() error { m.fleet.book.read(output); return m.end(cmd) }, nil
}

func (m *member) end(cmd *exec.Cmd) error {
	err := cmd.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.process = nil
	return err
}

// judge fails the test when a worker ended of itself.
func (f *fleet) judge(m *member, err error) {
	exit, ok := err.(*exec.ExitError)
	switch {
	case err == nil, ok && !exit.Exited(), ok && exit.ExitCode() == exitHalted:
		return
	}
	f.t.Errorf("%s ended: %v\n%s", m.name, err, f.lastWords(m))
}

func (f *fleet) lastWords(m *member) string {
	text, _ := os.ReadFile(filepath.Join(f.t.ArtifactDir(), m.name+".log"))
	return string(text[max(0, len(text)-4000):])
}

func (m *member) signal(s syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		_ = m.process.Signal(s) // it may have ended in between
	}
}

func (m *member) retire(s syscall.Signal) {
	m.mu.Lock()
	m.retiring = true
	m.mu.Unlock()
	m.signal(syscall.SIGCONT)
	m.signal(s)
}

// longestStop is far more than draining and settling take on a healthy server.
const longestStop = 45 * time.Second

// retire stops the members of these roles, all without any, and waits for their end.
func (f *fleet) retire(roles ...string) {
	f.t.Helper()
	var leaving []*member
	for _, m := range f.members {
		if len(roles) == 0 || m.role == roles[0] {
			leaving = append(leaving, m)
			m.retire(syscall.SIGTERM)
		}
	}
	deadline := time.After(longestStop)
	for _, m := range leaving {
		select {
		case <-m.retired:
		case <-deadline:
			m.signal(syscall.SIGABRT) // leaves its goroutines in the log
			<-m.retired
			f.t.Errorf("%s did not stop:\n%s", m.name, f.lastWords(m))
		}
	}
}

func (f *fleet) any(rng *rand.Rand) *member { return f.members[rng.IntN(len(f.members))] }

func (f *fleet) lives() (n int) {
	for _, m := range f.members {
		m.mu.Lock()
		n += m.lives
		m.mu.Unlock()
	}
	return n
}

// book is what producers reported.
type book struct {
	mu     sync.Mutex
	sent   map[int64]string // label by event id
	undone []string
}

// read takes whole lines; a killed producer's last one may be half of one.
func (b *book) read(output io.Reader) {
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		b.note(line)
	}
}

func (b *book) note(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var id int64
	var label string
	if _, err := fmt.Sscanf(line, lineSent, &id, &label); err == nil {
		b.sent[id] = label
	} else if _, err := fmt.Sscanf(line, lineUndone, &label); err == nil {
		b.undone = append(b.undone, label)
	}
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent)
}
