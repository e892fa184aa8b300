package wire

// Skip reads any value and forgets it. All of it is checked: syntax, UTF-8,
// unique member names, depth.
func (d *Decoder) Skip() bool {
	switch kinds[d.next()] {
	case Null:
		return d.literal("null")
	case Bool:
		var v bool
		return d.Bool(&v)
	case Num:
		_, ok := d.Number()
		return ok
	case String:
		_, _, ok := d.quoted()
		return ok
	case Array:
		d.open()
		for d.Item() {
			d.Skip()
		}
		return !d.done
	case Object:
		return d.skipObject()
	}
	return d.broken(d.pos, msgValue)
}

func (d *Decoder) skipObject() bool {
	d.open()
	known := names{d: d, base: len(d.names)}
	for d.Member() {
		if !known.add(d.name()) {
			d.Duplicate()
		}
		d.Skip()
	}
	d.dropNames(known.base)
	return !d.done
}

// names are the member names of an object that is being read: the Decoder's stack
// of names from base on, and many of them in a set.
type names struct {
	d    *Decoder
	base int
	set  map[string]struct{}
}

// add returns false when the name is there already.
func (n *names) add(name string) bool {
	known := n.d.names[n.base:]
	if n.set == nil && len(known) == indexFrom {
		n.set = make(map[string]struct{})
		for _, k := range known {
			n.set[k] = struct{}{}
		}
	}
	if n.set != nil {
		before := len(n.set)
		n.set[name] = struct{}{}
		if len(n.set) == before {
			return false
		}
	} else {
		for _, k := range known {
			if k == name {
				return false
			}
		}
	}
	n.d.names = append(n.d.names, name)
	return true
}

// Value reads any value as a tree.
func (d *Decoder) Value() (*Value, bool) {
	v, ok := d.value()
	if !ok {
		return nil, false
	}
	return &v, true
}

func (d *Decoder) value() (v Value, ok bool) {
	v.kind = kinds[d.next()]
	start := d.pos
	switch v.kind {
	case String:
		v.text, ok = d.stringView()
	case Array:
		v.children, ok = d.items()
	case Object:
		v.children, ok = d.members()
	default:
		ok = d.Skip()
	}
	if ok {
		v.raw = alias(d.buf[start:d.pos])
	}
	return v, ok
}

// stringView reads a string without copying where it can.
func (d *Decoder) stringView() (string, bool) {
	start, escaped, ok := d.quoted()
	if !ok {
		return "", false
	}
	text := d.buf[start : d.pos-1]
	if escaped {
		text = unescape(nil, text)
	}
	return alias(text), true
}

// items reads an array. Its items wait on the Decoder's stack until their number
// is known.
func (d *Decoder) items() (*children, bool) {
	d.open()
	base := len(d.values)
	for d.Item() {
		v, _ := d.value()
		d.values = append(d.values, v)
	}
	if d.done || len(d.values) == base {
		return nil, !d.done
	}
	return d.family(base, len(d.names)), true
}

// members reads an object in the same way.
func (d *Decoder) members() (*children, bool) {
	d.open()
	base := len(d.values)
	known := names{d: d, base: len(d.names)}
	for d.Member() {
		if !known.add(d.name()) {
			d.Duplicate()
			break
		}
		v, _ := d.value()
		d.values = append(d.values, v)
	}
	if d.done || len(d.values) == base {
		return nil, !d.done
	}
	c := d.family(base, known.base)
	c.build(known.set != nil)
	return c, true
}

// family takes children and their names from the stacks.
func (d *Decoder) family(values, names int) *children {
	c := &d.slabs.families.take(1)[0]
	*c = children{items: d.slabs.items.take(len(d.values) - values)}
	copy(c.items, d.values[values:])
	clear(d.values[values:])
	d.values = d.values[:values]
	if names < len(d.names) {
		c.names = d.slabs.names.take(len(d.names) - names)
		copy(c.names, d.names[names:])
		d.dropNames(names)
	}
	return c
}

// dropNames takes the names from base on from their stack.
func (d *Decoder) dropNames(base int) {
	clear(d.names[base:])
	d.names = d.names[:base]
}

// build makes the index of an object with many members.
func (c *children) build(many bool) {
	if !many {
		return
	}
	c.index = make(map[string]int, len(c.names))
	for i, name := range c.names {
		c.index[name] = i
	}
}
