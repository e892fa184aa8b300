package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/pgque/pgque-go/gen/schema"
)

// A claim is one identifier that wants a name in some scope: its candidates in
// order of preference, the last one of which is unique. A claim with one
// candidate insists on it.
type claim struct {
	candidates []string
	level      int
	// around returns the identifiers that a name brings with it: its own, and more
	// for which others give way. Defaults to the name itself.
	around func(name string) (own, more []string)
	set    func(string)
}

func (c *claim) name() string { return c.candidates[c.level] }

func (c *claim) insists() bool { return c.level+1 == len(c.candidates) }

func (c *claim) identifiers() (own, more []string) {
	if c.around == nil {
		return []string{c.name()}, nil
	}
	return c.around(c.name())
}

// settle gives every claim a name that no other has and that is not taken. All
// claims to one name move on together, so that the result depends on the claims
// only and not on their order. Of two claims, one of which wants what comes with the
// name of the other, the first moves on. It returns the names that insisting claims
// share.
func settle(claims []*claim, taken map[string]bool) (clashes []string) {
	for {
		w := want(claims, taken)
		moved := false
		for _, c := range claims {
			if !c.insists() && w.contested(c) {
				c.level++
				moved = true
			}
		}
		if !moved {
			return conclude(claims, taken)
		}
	}
}

// wants are how many claims want an identifier.
type wants struct {
	own, more map[string]int
	firm      map[string]bool // who wants it insists
	taken     map[string]bool // before
}

func want(claims []*claim, taken map[string]bool) wants {
	w := wants{own: map[string]int{}, more: map[string]int{}, firm: map[string]bool{}, taken: taken}
	for _, c := range claims {
		own, more := c.identifiers()
		for _, name := range own {
			w.own[name]++
			w.firm[name] = w.firm[name] || c.insists()
		}
		for _, name := range more {
			w.more[name]++
		}
	}
	return w
}

// contested reports that a claim has to move on, if it can.
func (w wants) contested(c *claim) bool {
	own, more := c.identifiers()
	return slices.ContainsFunc(own, func(name string) bool {
		return w.own[name] > 1 || w.more[name] > 0 || w.taken[name]
	}) || slices.ContainsFunc(more, func(name string) bool {
		return w.more[name] > 1 || w.firm[name] || w.taken[name]
	})
}

func conclude(claims []*claim, taken map[string]bool) (clashes []string) {
	for _, c := range claims {
		own, more := c.identifiers()
		all := slices.Concat(own, more)
		if slices.ContainsFunc(all, func(name string) bool { return taken[name] }) {
			clashes = append(clashes, c.name())
		}
		for _, name := range all {
			taken[name] = true
		}
		c.set(c.name())
	}
	return clashes
}

// mark is a short suffix that depends on the text only.
func mark(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "X" + hex.EncodeToString(sum[:3])
}

// A namer decides the identifiers of a Model, in an order that no input changes:
// queues and events, then types, then the constants of enumerations.
type namer struct {
	model *Model
	hints map[string]string       // names of alternatives, by place
	taken map[string]bool         // package scope
	roots map[*schema.File]string // names of the types of events
	diags []schema.Diagnostic
}

func (n *namer) run() {
	n.users()
	n.queues()
	n.events()
	n.typeNames()
	n.values()
	for _, t := range n.model.Types {
		n.fields(t)
		n.options(t)
	}
}

// users takes the names of the types that the user writes in the package.
func (n *namer) users() {
	n.model.eachShape(func(_ *Type, s *Shape) {
		if s.Go != nil && s.Go.Path == "" {
			n.taken[s.Go.Name] = true
		}
	})
}

func (n *namer) queues() {
	var claims []*claim
	for _, q := range n.model.Queues {
		claims = append(claims, &claim{
			candidates: []string{exported(q.Name), distinct(q.Name), exported(q.Name) + mark(q.Name)},
			around:     surfaceOfQueue,
			set:        func(name string) { q.Go, q.Const = name, "Queue"+name },
		})
	}
	settle(claims, n.taken)
	n.homes()
}

// surfaceOfQueue are the names of what is generated for a queue.
func surfaceOfQueue(name string) (own, more []string) {
	return []string{"Queue" + name, name + "Producer", name + "Consumer", name + "Handlers", name + "Event"},
		[]string{"New" + name + "Producer", "New" + name + "Consumer"}
}

// surfaceOfEvent are the names of what is generated for an event.
func surfaceOfEvent(name string) (own, more []string) {
	return []string{name}, []string{"Type" + name, "Schema" + name, name + "DeadLetters", name + "Example", name + "Counterexample", "Fuzz" + name}
}

// homes names the generated files. Some file systems do not tell capitals from
// small letters.
func (n *namer) homes() {
	var claims []*claim
	for _, q := range n.model.Queues {
		stem := strings.Join(words(q.Name), "_")
		claims = append(claims, &claim{
			candidates: []string{fileStem(stem), fileStem(stem + mark(q.Name))},
			set:        func(name string) { q.Home = name },
		})
	}
	settle(claims, map[string]bool{"shared": true})
}

// fileStem keeps letters and digits that every file system takes.
func fileStem(name string) string {
	stem := strings.Map(func(r rune) rune {
		if r == '_' || r < unicode.MaxASCII && isWordRune(r) {
			return r
		}
		return -1
	}, strings.ToLower(name))
	if stem = strings.Trim(stem, "_"); stem == "" {
		return "queue"
	}
	return stem
}

func (n *namer) events() {
	var claims []*claim
	for _, ev := range n.model.Events {
		queue := n.model.queue(ev.Queue)
		claims = append(claims, &claim{
			candidates: n.explicit(ev.root, []string{
				exported(ev.Type),
				queue.Go + exported(ev.Type),
				queue.Go + distinct(ev.Type),
				queue.Go + exported(ev.Type) + mark(ev.File),
				queue.Go + exported(ev.Type) + mark(ev.root.File.URI),
			}),
			around: surfaceOfEvent,
			set: func(name string) {
				ev.Go, ev.Const = name, "Type"+name
				ev.Root.Go = name
				n.roots[ev.root.File] = name
			},
		})
	}
	n.report(settle(claims, n.taken))
	for _, q := range n.model.Queues {
		q.nameMethods()
	}
}

// nameMethods keeps the methods of one event from having the names of another's:
// OnXTx is no name for X when there is an event XTx.
func (q *Queue) nameMethods() {
	producer := map[string]bool{"SendBatch": true}
	consumer := map[string]bool{"Start": true, "Consumer": true, "OnUnknown": true, "Handle": true}
	var sends, batches, ons, txs, onBatches []*claim
	for _, ev := range q.Events {
		m, tail := &ev.Methods, mark(ev.Type)
		m.Handle = "Handle" + ev.Go
		sends = append(sends, &claim{candidates: []string{"Send" + ev.Go, "SendOne" + ev.Go, "Send" + ev.Go + tail}, set: func(s string) { m.Send = s }})
		ons = append(ons, &claim{candidates: []string{"On" + ev.Go, "OnOne" + ev.Go, "On" + ev.Go + tail}, set: func(s string) { m.On = s }})
		batches = append(batches, &claim{candidates: []string{"Send" + ev.Go + "Batch", "SendMany" + ev.Go, "SendMany" + ev.Go + tail}, set: func(s string) { m.SendBatch = s }})
		txs = append(txs, &claim{candidates: []string{"On" + ev.Go + "Tx", "OnceFor" + ev.Go, "OnceFor" + ev.Go + tail}, set: func(s string) { m.OnTx = s }})
		onBatches = append(onBatches, &claim{candidates: []string{"On" + ev.Go + "Batch", "OnMany" + ev.Go, "OnMany" + ev.Go + tail}, set: func(s string) { m.OnBatch = s }})
	}
	settle(sends, producer)
	settle(batches, producer)
	settle(ons, consumer)
	settle(txs, consumer)
	settle(onBatches, consumer)
}

// explicit puts the name out of an annotation in the place of candidates.
func (n *namer) explicit(s *schema.Schema, candidates []string) []string {
	name, _ := goName(s, keywordGoName)
	if name == "" {
		return candidates
	}
	return []string{name}
}

func (n *namer) fail(pos schema.Position, pointer, format string, args ...any) {
	d := schema.Diagnostic{Pos: pos, Pointer: pointer, Message: fmt.Sprintf(format, args...)}
	if !slices.Contains(n.diags, d) {
		n.diags = append(n.diags, d)
	}
}

func (n *namer) report(clashes []string) {
	for _, name := range clashes {
		what := "taken by what is generated for a queue or an event"
		same := slices.DeleteFunc(slices.Clone(n.model.Types), func(t *Type) bool { return t.Go != name })
		if len(same) > 1 {
			what = "asked for twice"
		}
		for _, t := range same {
			n.fail(t.Pos, t.Pointer, "the Go name %s is %s: change one %s", name, what, keywordGoName)
		}
	}
}

func (n *namer) typeNames() {
	var claims []*claim
	for _, t := range n.model.Types {
		if t.Event != nil {
			continue
		}
		natural, spelled := n.place(t, exported)+t.suffix, n.place(t, distinct)+t.suffix
		folder := exported(path.Dir(t.File))
		claims = append(claims, &claim{
			candidates: n.explicit(t.schemas[0], []string{
				natural, spelled, startUpper(folder + natural), natural + mark(t.File+"#"+t.Pointer), natural + mark(key(t.schemas)+t.suffix),
			}),
			set: func(name string) { t.Go = name },
		})
	}
	n.report(settle(claims, n.taken))
}

// place names a type by where its schema stands: the name of the file, or of
// the nearest schema with a name of its own, then the names on the way.
func (n *namer) place(t *Type, spell func(string) string) string {
	file := t.schemas[0].File
	p := placeName{namer: n, spell: spell, file: file, node: file.Root.Source}
	p.name = n.rootName(file, spell)
	p.root = p.name
	if t.Pointer == "" {
		return p.name
	}
	p.walk(strings.Split(t.Pointer, "/")[1:])
	return startUpper(p.name)
}

func (n *namer) rootName(f *schema.File, spell func(string) string) string {
	if name, ok := n.roots[f]; ok {
		return name
	}
	return spell(typeOf(f.Path))
}

// sameName is the hint for a schema that is all that the one around it says.
const sameName = "\x00"

// A placeName grows along a JSON pointer.
type placeName struct {
	*namer
	spell func(string) string
	file  *schema.File
	node  *schema.Node
	at    string // pointer so far
	root  string
	name  string
}

func (p *placeName) walk(tokens []string) {
	for len(tokens) > 0 {
		keyword := pointerUnescaper.Replace(tokens[0])
		p.step(tokens[0])
		switch argument := len(tokens) > 1 && p.takesArgument(keyword); {
		case argument:
			p.step(tokens[1])
			p.extend(keyword, pointerUnescaper.Replace(tokens[1]))
			tokens = tokens[2:]
		default:
			p.extend(keyword, "")
			tokens = tokens[1:]
		}
	}
}

// takesArgument reports keywords whose value holds several schemas.
func (p *placeName) takesArgument(keyword string) bool {
	switch keyword {
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies",
		"prefixItems", "allOf", "anyOf", "oneOf":
		return true
	case "items":
		return p.node != nil && p.node.Kind == schema.Array
	}
	return false
}

func (p *placeName) step(token string) {
	p.at += "/" + token
	if p.node == nil {
		return
	}
	name := pointerUnescaper.Replace(token)
	if p.node.Kind == schema.Array {
		var i int
		if _, err := fmt.Sscanf(name, "%d", &i); err == nil && i >= 0 && i < len(p.node.Items) {
			p.node = p.node.Items[i]
			return
		}
	}
	p.node = p.node.Member(name)
}

func (p *placeName) extend(keyword, argument string) {
	switch hint, ok := p.hints[p.file.URI+"#"+p.at]; {
	case ok && hint == sameName:
	case ok:
		p.name += p.spell(hint)
	default:
		p.name = p.extended(keyword, argument)
	}
	if p.node != nil && p.node.Kind == schema.Object {
		if n := p.node.Member(keywordGoName); n != nil && token.IsExported(n.Text) && token.IsIdentifier(n.Text) {
			p.name = n.Text
		}
	}
}

func (p *placeName) extended(keyword, argument string) string {
	switch keyword {
	case "properties":
		return p.name + p.spell(argument)
	case "$defs", "definitions":
		if p.roots[p.file] == "" && isCollection(p.file.Root) && p.name == p.root {
			return p.spell(argument)
		}
		return p.name + p.spell(argument)
	case "items":
		if argument == "" {
			return singular(p.name)
		}
		return p.name + "Item" + ordinal(argument)
	case "prefixItems":
		return p.name + "Item" + ordinal(argument)
	case "additionalItems", "unevaluatedItems", "contains":
		return p.name + "Item"
	case "additionalProperties", "unevaluatedProperties", "patternProperties":
		return p.name + "Value"
	case "oneOf", "anyOf":
		return p.name + "Option" + ordinal(argument)
	case "allOf":
		return p.name + "Part" + ordinal(argument)
	case "dependentSchemas", "dependencies":
		return p.name + "With" + p.spell(argument)
	}
	return p.name + p.spell(keyword) + strings.TrimPrefix(p.spell("x"+argument), "X")
}

// ordinal counts from 1 what JSON pointers count from 0.
func ordinal(token string) string {
	i, err := strconv.Atoi(token)
	if err != nil {
		return exported(token)
	}
	return strconv.Itoa(i + 1)
}

// values names the constants of enumerations.
func (n *namer) values() {
	var claims []*claim
	for _, t := range n.model.Types {
		for i := range t.Values {
			v := &t.Values[i]
			natural := t.Go + strings.TrimPrefix(exported("x"+v.Text), "X")
			if name := exported(v.Text); !strings.HasPrefix(name, "X") || strings.HasPrefix(v.Text, "x") || strings.HasPrefix(v.Text, "X") {
				natural = t.Go + name
			}
			claims = append(claims, &claim{
				candidates: []string{natural, t.Go + distinct(v.Text), t.Go + exported(v.Text) + mark(v.Text)},
				set:        func(name string) { v.Go = name },
			})
		}
	}
	settle(claims, n.taken)
}

// methods are the names that fields cannot have.
var methods = []string{
	"UnmarshalJSON", "MarshalJSON", "Validate", "AppendJSON", "EventType", "LogValue",
}

func (n *namer) fields(t *Type) {
	taken := map[string]bool{}
	for _, name := range methods {
		taken[name] = true
	}
	taken[t.ExtraName()], taken["Other"] = t.Extra != nil, t.Other
	var claims []*claim
	for _, f := range t.Fields {
		claims = append(claims, &claim{
			candidates: f.candidates(taken),
			set:        func(name string) { f.Go = name },
		})
	}
	for _, name := range settle(claims, taken) {
		n.fail(t.Pos, t.Pointer, "the Go name %s is taken in this type: change %s or %s", name, keywordFieldName, keywordGoName)
	}
}

func (f *Field) candidates(taken map[string]bool) []string {
	if f.wanted != "" {
		return []string{f.wanted}
	}
	natural := exported(f.Name)
	switch {
	case f.Item > 0:
		return []string{"Item" + strconv.Itoa(f.Item)}
	case taken[natural]: // by a method
		return []string{natural + "Value", distinct(f.Name), natural + mark(f.Name)}
	}
	return []string{natural, distinct(f.Name), natural + "Value", natural + mark(f.Name)}
}
