package main

import "sync"

// notes holds what was worth telling: the latest note of each kind.
type notes struct {
	mu     sync.Mutex
	latest []note // one of each kind, in the order in which the kinds came up
	news   []note // the first of each kind, until firsts is called
}

type note struct{ kind, text string }

func (n note) String() string { return n.kind + ": " + n.text }

// add replaces the note of the same kind.
func (n *notes) add(kind, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range n.latest {
		if n.latest[i].kind == kind {
			n.latest[i].text = text
			return
		}
	}
	n.latest = append(n.latest, note{kind, text})
	n.news = append(n.news, note{kind, text})
}

// all returns the latest note of each kind.
func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return texts(n.latest)
}

// firsts returns the notes of kinds that came up since the last call.
func (n *notes) firsts() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := texts(n.news)
	n.news = nil
	return first
}

func texts(notes []note) []string {
	lines := make([]string, len(notes))
	for i, note := range notes {
		lines[i] = note.String()
	}
	return lines
}
