package wire

// A lookup finds the places of names in a list.
type lookup struct {
	list  []string
	index map[string]int // of many
}

func lookupOf(list []string) lookup {
	l := lookup{list: list}
	if len(list) >= tableFrom {
		l.index = make(map[string]int, len(list))
		for i, name := range list {
			l.index[name] = i
		}
	}
	return l
}

// find returns the place of a name; -1 when there is none.
func (l *lookup) find(name string) int {
	if l.index != nil {
		if i, ok := l.index[name]; ok {
			return i
		}
		return -1
	}
	for i, n := range l.list {
		if n == name {
			return i
		}
	}
	return -1
}
