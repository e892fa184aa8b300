package model

import (
	"fmt"
	"path"
	"strings"

	"github.com/pgque/pgque-go/gen/schema"
)

// The keywords that decide what a file is, and what things are called.
const (
	keywordEvent     = "x-event"    // the event's type; false: no event; true: an event in any case
	keywordQueue     = "x-queue"    // the event's queue
	keywordGoName    = "x-go-name"  // the Go name of a type, or of a field whose type has none
	keywordFieldName = "x-go-field" // the Go name of a field
	keywordSecret    = "x-secret"   // true: neither logs nor errors show the value
)

// findEvents decides which files describe events.
//
// The folder of a file is its queue, its name is the event's type. Nested
// folders are queues of their own, called by their path with dots. A file right
// in a root belongs to the queue that is called like the root.
//
// No events are: files reached through a reference root only; files whose
// folder's name, or whose own, begins with "_" or "."; files that other files
// refer to as a whole; and files that only collect definitions which other files
// refer to. The annotation x-event: false says it for one more file; x-event:
// true, x-event with a type, and x-queue make an event of any file.
func findEvents(set *schema.Set, opts Options) ([]*Event, []schema.Diagnostic) {
	e := eventFinder{opts: opts, used: usesOf(set)}
	for _, f := range set.Files {
		if f.Event {
			e.consider(f)
		}
	}
	e.noteParts()
	return e.events, e.diags
}

// noteParts tells of files that are no events although they stand among events.
func (e *eventFinder) noteParts() {
	queues := map[string]bool{}
	for _, ev := range e.events {
		queues[ev.Queue] = true
	}
	for _, f := range e.parts {
		if !queues[e.opts.queueOf(f)] {
			continue
		}
		e.diags = append(e.diags, schema.Diagnostic{
			Pos: f.Root.Pos, Warning: true,
			Message: fmt.Sprintf("becomes a type and no event, because %s refers to it; say %s: false if that is meant, and %s: true if it is an event, too", e.used[f].by, keywordEvent, keywordEvent),
		})
	}
}

type eventFinder struct {
	opts   Options
	used   map[*schema.File]use
	parts  []*schema.File // that would be events if no other file referred to them
	events []*Event
	diags  []schema.Diagnostic
}

// A use tells how other files refer to a file.
type use struct {
	whole, part bool
	by          string // the first file that refers to it as a whole
}

func usesOf(set *schema.Set) map[*schema.File]use {
	used := map[*schema.File]use{}
	seen := map[*schema.Schema]bool{}
	var open []*schema.Schema
	visit := func(s *schema.Schema) {
		if s != nil && !seen[s] {
			seen[s] = true
			open = append(open, s)
		}
	}
	for _, f := range set.Files {
		visit(f.Root)
	}
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		for _, target := range references(s) {
			if target.File != s.File {
				u := used[target.File]
				if u.part = true; target == target.File.Root {
					u.whole = true
					if u.by == "" || s.File.Path < u.by {
						u.by = s.File.Path
					}
				}
				used[target.File] = u
			}
		}
		for _, p := range s.Defs {
			visit(p.Schema)
		}
		subschemas(s, visit)
	}
	return used
}

func references(s *schema.Schema) []*schema.Schema {
	var list []*schema.Schema
	if s.Ref != nil {
		list = append(list, s.Ref.Target)
	}
	if s.DynamicRef != nil {
		list = append(list, s.DynamicRef.Target)
	}
	return list
}

func (e *eventFinder) consider(f *schema.File) {
	queue, typ := e.opts.queueOf(f), typeOf(f.Path)
	named := false
	if n := annotation(f.Root, keywordQueue); n != nil {
		queue, named = e.text(f, keywordQueue, n), true
	}
	if n := annotation(f.Root, keywordEvent); n != nil {
		switch {
		case n.Kind == schema.Boolean && n.Text == "false":
			return
		case n.Kind == schema.Boolean:
		default:
			typ = e.text(f, keywordEvent, n)
		}
		named = true
	}
	if !named && isHidden(f.Path) {
		return
	}
	if !named && isPart(f, e.used[f]) {
		if e.used[f].whole {
			e.parts = append(e.parts, f)
		}
		return
	}
	if queue == "" {
		e.fail(f.Root.Pos, "", "no queue: put the file into a folder called like the queue, or say %s", keywordQueue)
		return
	}
	if len(queue) > maxQueueName {
		e.fail(f.Root.Pos, "", "the queue's name %q has %d bytes, %d are allowed: choose a shorter one with %s", queue, len(queue), maxQueueName, keywordQueue)
		return
	}
	e.events = append(e.events, &Event{
		File: f.Path, Queue: queue, Type: typ, Hash: f.Hash,
		Schema: schemaText(f), Pos: f.Root.Pos, root: f.Root,
	})
}

// maxQueueName is how many bytes of a queue's name the engine takes.
const maxQueueName = 57

func schemaText(f *schema.File) string {
	if f.Root.Source == nil {
		return "true"
	}
	return string(appendNodeJSON(nil, f.Root.Source))
}

// text returns the text of an annotation that has to be a string which is not
// empty.
func (e *eventFinder) text(f *schema.File, keyword string, n *schema.Node) string {
	if n.Kind != schema.String || n.Text == "" {
		e.fail(n.Pos, "/"+keyword, "must be a name in quotes")
		return "?"
	}
	return n.Text
}

func (e *eventFinder) fail(pos schema.Position, pointer, format string, args ...any) {
	e.diags = append(e.diags, schema.Diagnostic{Pos: pos, Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

func isHidden(file string) bool {
	for _, part := range strings.Split(file, "/") {
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// isPart reports a file that is there for others.
func isPart(f *schema.File, u use) bool {
	return u.whole || u.part && isCollection(f.Root)
}

// isCollection reports a schema that says nothing but has definitions.
func isCollection(s *schema.Schema) bool {
	if s.Defs == nil || s.Ref != nil {
		return false
	}
	return gather([]*schema.Schema{s}).saysNothing()
}

// typeOf is the event's type: the name of its file without .json, .yaml, .yml,
// and without .schema before them.
func typeOf(file string) string {
	name := path.Base(file)
	if schema.IsSchemaFile(name) {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	if short := strings.TrimSuffix(name, ".schema"); short != "" {
		return short
	}
	return name
}

// queueOf is the queue that the file's place names; "" is none.
func (o Options) queueOf(f *schema.File) string {
	if dir := path.Dir(f.Path); dir != "." {
		return strings.ReplaceAll(dir, "/", ".")
	}
	root := strings.TrimSuffix(strings.TrimSuffix(f.Root.Pos.File, f.Path), "/")
	if queue, ok := o.RootQueues[root]; ok {
		return queue
	}
	switch base := path.Base(root); base {
	case ".", "..", "/", "":
		return ""
	default:
		return base
	}
}
