package wire

// Accepts lets predicates look at the next value before it is read: all of them
// report what they find. A value that they all accept is read afterwards, as if
// nobody had looked; one that they refuse is skipped.
func (d *Decoder) Accepts(predicates ...Predicate) bool {
	d.next()
	start := d.pos
	v, ok := d.Value()
	if !ok {
		return false
	}
	for _, accept := range predicates {
		ok = accept(v, nil, &d.Report) && ok
	}
	if ok {
		d.pos = start
	}
	return ok
}

// Tag looks into the object that is next for the string that tells alternatives
// apart. The object is read afterwards, as if nobody had looked. A value that is no
// object, or has no such string, is reported and skipped.
func (d *Decoder) Tag(name string) (tag string, ok bool) {
	d.next()
	start, depth := d.pos, len(d.path)
	if !d.Object() {
		return "", false
	}
	for d.Member() {
		if d.name() != name {
			d.Skip()
			continue
		}
		if ok = d.String(&tag, nil); !ok {
			d.finish(depth)
			return "", false
		}
		d.pos, d.path = start, d.path[:depth]
		return tag, true
	}
	if !d.done {
		d.Required(name)
	}
	return "", false
}

// finish skips what is left of the object that was opened at a depth.
func (d *Decoder) finish(depth int) {
	for len(d.path) > depth && d.Member() {
		d.Skip()
	}
}

// UnknownTag reports a tag that names no alternative, and skips its object, which
// is next.
func (d *Decoder) UnknownTag(name, tag string) {
	d.Enter(name)
	d.Enum(tag)
	d.Leave()
	d.Skip()
}
