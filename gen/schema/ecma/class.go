package ecma

import "strings"

// class reads a bracketed class.
func (p *parser) class(start int) (*node, error) {
	negated := p.accept("^")
	var pairs []rune
	var named []string // properties that Go's regexp knows by name
	plain := true      // nothing but named holds properties
	for !p.accept("]") {
		if p.peek() == end {
			return nil, p.errorf(start, "has a '[' that is not closed; write \\[ for the character")
		}
		item, err := p.classItem()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, item.set...)
		if item.name != "" {
			named = append(named, item.name)
		} else if len(item.set) > maxSpelled {
			plain = false
		}
	}
	set := newRunes(pairs...)
	if negated {
		set = set.complement()
	}
	n := &node{set: set}
	if len(named) > 0 && plain {
		n.name = p.spell(start, named, negated)
	}
	return n, nil
}

// maxSpelled is how many bounds a set may have to be written out beside names.
const maxSpelled = 64

// spell writes the class that began at start with its properties by name.
func (p *parser) spell(start int, named []string, negated bool) string {
	again := &parser{src: p.src, off: start + 1}
	again.accept("^")
	var pairs []rune
	for !again.accept("]") {
		item, err := again.classItem()
		if err != nil {
			return ""
		}
		if item.name == "" {
			pairs = append(pairs, item.set...)
		}
	}
	head := "["
	if negated {
		head = "[^"
	}
	return head + strings.Join(named, "") + newRunes(pairs...).spans() + "]"
}

// classItem reads a character, a range or a set inside of a class. A '-' beside
// a set stands for itself.
func (p *parser) classItem() (*node, error) {
	start := p.off
	low, err := p.classAtom()
	if err != nil || !low.isSingle() || !p.startsRange() {
		return low, err
	}
	mark := p.off
	p.off++
	high, err := p.classAtom()
	if err != nil {
		return nil, err
	}
	if !high.isSingle() {
		p.off = mark
		return low, nil
	}
	if low.char > high.char {
		return nil, p.errorf(start, "has the range %s, which is out of order", p.src[start:p.off])
	}
	return &node{set: newRunes(low.char, high.char)}, nil
}

// startsRange says whether a '-' and something behind it follow.
func (p *parser) startsRange() bool {
	rest := p.src[p.off:]
	return strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, "-]") && len(rest) > 1
}

// isSingle tells one character of a class; its set is empty when it is a
// surrogate.
func (n *node) isSingle() bool { return n.one }

func (p *parser) classAtom() (*node, error) {
	start := p.off
	c := p.next()
	if c != '\\' {
		return classChar(c), nil
	}
	if p.accept("b") {
		return classChar('\b'), nil
	}
	if n, ok, err := p.setEscape(start); ok || err != nil {
		return n, err
	}
	c, err := p.charEscape(start)
	return classChar(c), err
}

func classChar(c rune) *node { return &node{set: newRunes(c, c), char: c, one: true} }
