package model

// conceal hides a member in every check of the same value, once one of them calls it
// secret: the branch of a condition that speaks about the member again need not.
func (c *Checks) conceal() {
	all := c.reachable(c.roots)
	g := secretGroups{leader: map[*Check]*Check{}, names: map[*Check]map[string]bool{}}
	for _, check := range all {
		check.inPlaceCalls(func(call *Call) {
			if to := c.byFunc[string(*call)]; to != nil {
				g.join(check, to)
			}
		})
	}
	for _, check := range all {
		for _, rule := range check.Object.Properties {
			if rule.Secret {
				g.add(check, rule.Name)
			}
		}
	}
	for _, check := range all {
		names := g.names[g.find(check)]
		for i := range check.Object.Properties {
			rule := &check.Object.Properties[i]
			rule.Secret = rule.Secret || names[rule.Name]
		}
	}
}

// secretGroups are checks that decide the same values, and the names of the secret
// members in these.
type secretGroups struct {
	leader map[*Check]*Check
	names  map[*Check]map[string]bool // by leader, once all are joined
}

func (g secretGroups) find(c *Check) *Check {
	for g.leader[c] != nil {
		if up := g.leader[g.leader[c]]; up != nil {
			g.leader[c] = up
		}
		c = g.leader[c]
	}
	return c
}

func (g secretGroups) join(a, b *Check) {
	if a, b = g.find(a), g.find(b); a != b {
		g.leader[b] = a
	}
}

func (g secretGroups) add(c *Check, name string) {
	top := g.find(c)
	if g.names[top] == nil {
		g.names[top] = map[string]bool{}
	}
	g.names[top][name] = true
}
