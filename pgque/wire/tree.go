package wire

// Skip reads any value and forgets it. All of it is checked: syntax, UTF-8,
// unique member names, depth.
func (d *Decoder) Skip() bool {
	_, ok := d.Value()
	return ok
}

// Value reads any value as a tree.
func (d *Decoder) Value() (*Value, bool) {
	v := new(Value)
	return v, d.value(v)
}

func (d *Decoder) value(v *Value) bool {
	c := d.next()
	if d.done {
		return false
	}
	start := d.pos
	ok := false
	switch v.kind = kinds[c]; v.kind {
	case Null:
		ok = d.literal("null")
	case Bool:
		ok = d.Bool(&v.truth)
	case Num:
		var n Number
		n, ok = d.Number()
		v.text = string(n)
	case String:
		v.text, ok = d.stringView()
	case Array:
		ok = d.items(v)
	case Object:
		ok = d.members(v)
	default:
		return d.broken(d.pos, msgValue)
	}
	v.raw = d.buf[start:d.pos]
	return ok
}

// stringView reads a string without copying where it can.
func (d *Decoder) stringView() (string, bool) {
	text, escaped, ok := d.text()
	if escaped {
		text = unescape(nil, text)
	}
	return alias(text), ok
}

func (d *Decoder) items(v *Value) bool {
	d.open()
	for d.Item() {
		v.items = append(v.items, Value{})
		d.value(&v.items[len(v.items)-1])
	}
	return !d.done
}

func (d *Decoder) members(v *Value) bool {
	d.open()
	for d.Member() {
		name := string(d.key)
		if v.Index(name) >= 0 {
			d.Duplicate()
			break
		}
		v.names = append(v.names, name)
		v.items = append(v.items, Value{})
		v.indexLast()
		d.value(&v.items[len(v.items)-1])
	}
	return !d.done
}

// indexLast enters the last name into the index, which begins at indexFrom names.
func (v *Value) indexLast() {
	if len(v.names) == indexFrom {
		v.index = make(map[string]int)
		for i, n := range v.names {
			v.index[n] = i
		}
	} else if v.index != nil {
		v.index[v.names[len(v.names)-1]] = len(v.names) - 1
	}
}
