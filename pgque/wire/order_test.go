package wire_test

import (
	"time"

	"github.com/pgque/pgque-go/pgque/wire"
)

// order is an event type as generated code looks like, for tests of the parts
// together and for benchmarks.
type order struct {
	ID       wire.UUID         `json:"id"`
	Customer customer          `json:"customer"`
	Placed   time.Time         `json:"placed"`
	Currency currency          `json:"currency"`
	Channel  channel           `json:"channel"`
	Lines    []line            `json:"lines"`
	Tags     []string          `json:"tags,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Total    float64           `json:"total"`
	Note     *string           `json:"note,omitempty"`
}

type customer struct {
	ID    wire.UUID `json:"id"`
	Email string    `json:"email"`
	Name  string    `json:"name"`
}

type line struct {
	SKU      string  `json:"sku"`
	Quantity int64   `json:"quantity"`
	Price    float64 `json:"price"`
	Unit     unit    `json:"unit"`
}

type (
	currency string
	channel  string
	unit     string
)

const orderJSON = `{"id":"6f1c7c1e-54b1-4a6e-9d0d-5a1c9b1f0a11","customer":{"id":"0b0e7a52-8f0e-4a52-9b5a-6a6f0c9d1e22","email":"jane.doe@example.com","name":"Jane Doe"},` +
	`"placed":"2026-03-01T12:34:56.789+01:00","currency":"EUR","channel":"web","lines":[` +
	`{"sku":"ABC-0001","quantity":1,"price":12.5,"unit":"piece"},{"sku":"ABC-0002","quantity":2,"price":99.95,"unit":"piece"},` +
	`{"sku":"ABC-0003","quantity":3,"price":7.25,"unit":"kg"},{"sku":"ABC-0004","quantity":10,"price":0.99,"unit":"piece"},` +
	`{"sku":"ABC-0005","quantity":5,"price":45,"unit":"piece"},{"sku":"ABC-0006","quantity":1,"price":129.9,"unit":"box"},` +
	`{"sku":"ABC-0007","quantity":7,"price":3.49,"unit":"piece"},{"sku":"ABC-0008","quantity":8,"price":15.75,"unit":"kg"},` +
	`{"sku":"ABC-0009","quantity":9,"price":22.4,"unit":"piece"},{"sku":"ABC-0010","quantity":12,"price":5,"unit":"piece"}],` +
	`"tags":["priority","gift-wrap"],"metadata":{"campaign":"spring-26","source":"newsletter"},"total":1234.56}`

var (
	patternSKU  = wire.MustPattern(`^[A-Z]{3}-[0-9]{4}$`)
	patternTag  = wire.MustPattern(`^[a-z0-9-]+$`)
	patternMeta = wire.MustPattern(`^[a-z][a-z0-9_]*$`)
	decimal0    = wire.MustDecimal("0")
)

// UnmarshalJSON accepts exactly the valid orders. The order stays as it was on an
// error.
func (o *order) UnmarshalJSON(b []byte) error {
	d := wire.Open(b)
	var v order
	decodeOrder(d, &v)
	if err := d.Close("order.created"); err != nil {
		return err
	}
	*o = v
	return nil
}

func decodeOrder(d *wire.Decoder, v *order) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch string(d.Key()) {
		case "id":
			d.Once(&seen, 1<<0)
			d.UUID(&v.ID)
		case "customer":
			d.Once(&seen, 1<<1)
			decodeCustomer(d, &v.Customer)
		case "placed":
			d.Once(&seen, 1<<2)
			d.Time(&v.Placed)
		case "currency":
			d.Once(&seen, 1<<3)
			decodeCurrency(d, &v.Currency)
		case "channel":
			d.Once(&seen, 1<<4)
			decodeChannel(d, &v.Channel)
		case "lines":
			d.Once(&seen, 1<<5)
			decodeLines(d, &v.Lines)
		case "tags":
			d.Once(&seen, 1<<6)
			decodeTags(d, &v.Tags)
		case "metadata":
			d.Once(&seen, 1<<7)
			decodeMetadata(d, &v.Metadata)
		case "total":
			d.Once(&seen, 1<<8)
			if n, ok := d.Float64Text(&v.Total); ok && n.Compare(decimal0) < 0 {
				d.Report.Number("minimum", n, "0")
			}
		case "note":
			d.Once(&seen, 1<<9)
			v.Note = new(string)
			d.String(v.Note)
		default:
			d.Unknown("additionalProperties", string(d.Key()))
			d.Skip()
		}
	}
	if seen&orderRequired != orderRequired {
		d.Missing(seen, orderNames[:])
	}
}

const orderRequired = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<8

// orderNames has the required members at their bits.
var orderNames = [...]string{"id", "customer", "placed", "currency", "channel", "lines", 8: "total"}

func decodeCustomer(d *wire.Decoder, v *customer) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch string(d.Key()) {
		case "id":
			d.Once(&seen, 1<<0)
			d.UUID(&v.ID)
		case "email":
			d.Once(&seen, 1<<1)
			if d.String(&v.Email) && !wire.FormatEmail(v.Email) {
				d.Format(v.Email, "email")
			}
		case "name":
			d.Once(&seen, 1<<2)
			if d.String(&v.Name) {
				if n := wire.Length(v.Name); n < 1 {
					d.Count("minLength", n, 1)
				} else if n > 100 {
					d.Count("maxLength", n, 100)
				}
			}
		default:
			d.Unknown("additionalProperties", string(d.Key()))
			d.Skip()
		}
	}
	if seen != 7 {
		d.Missing(seen, customerNames[:])
	}
}

var customerNames = [...]string{"id", "email", "name"}

func decodeCurrency(d *wire.Decoder, v *currency) {
	text, ok := d.StringBytes()
	if !ok {
		return
	}
	switch string(text) {
	case "EUR":
		*v = "EUR"
	case "USD":
		*v = "USD"
	case "GBP":
		*v = "GBP"
	default:
		d.Enum(string(text))
	}
}

func decodeChannel(d *wire.Decoder, v *channel) {
	text, ok := d.StringBytes()
	if !ok {
		return
	}
	switch string(text) {
	case "web":
		*v = "web"
	case "shop":
		*v = "shop"
	case "phone":
		*v = "phone"
	default:
		d.Enum(string(text))
	}
}

func decodeUnit(d *wire.Decoder, v *unit) {
	text, ok := d.StringBytes()
	if !ok {
		return
	}
	switch string(text) {
	case "piece":
		*v = "piece"
	case "kg":
		*v = "kg"
	case "box":
		*v = "box"
	default:
		d.Enum(string(text))
	}
}

func decodeLines(d *wire.Decoder, v *[]line) {
	if !d.Array() {
		return
	}
	list := []line{}
	for d.Item() {
		list = append(list, line{})
		decodeLine(d, &list[len(list)-1])
	}
	if len(list) < 1 {
		d.Count("minItems", len(list), 1)
	}
	*v = list
}

func decodeLine(d *wire.Decoder, v *line) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch string(d.Key()) {
		case "sku":
			d.Once(&seen, 1<<0)
			if d.String(&v.SKU) && !patternSKU.Match(v.SKU) {
				d.Pattern(v.SKU, `^[A-Z]{3}-[0-9]{4}$`)
			}
		case "quantity":
			d.Once(&seen, 1<<1)
			if d.Int64(&v.Quantity) && v.Quantity < 1 {
				d.Report.Number("minimum", v.Quantity, "1")
			}
		case "price":
			d.Once(&seen, 1<<2)
			if n, ok := d.Float64Text(&v.Price); ok && n.Compare(decimal0) < 0 {
				d.Report.Number("minimum", n, "0")
			}
		case "unit":
			d.Once(&seen, 1<<3)
			decodeUnit(d, &v.Unit)
		default:
			d.Unknown("additionalProperties", string(d.Key()))
			d.Skip()
		}
	}
	if seen != 15 {
		d.Missing(seen, lineNames[:])
	}
}

var lineNames = [...]string{"sku", "quantity", "price", "unit"}

func decodeTags(d *wire.Decoder, v *[]string) {
	if !d.Array() {
		return
	}
	list := []string{}
	for d.Item() {
		var s string
		if d.String(&s) && !patternTag.Match(s) {
			d.Pattern(s, `^[a-z0-9-]+$`)
		}
		list = append(list, s)
	}
	*v = list
}

func decodeMetadata(d *wire.Decoder, v *map[string]string) {
	if !d.Object() {
		return
	}
	m := map[string]string{}
	for d.Member() {
		name := string(d.Key())
		if !patternMeta.Match(name) {
			d.Pattern(name, `^[a-z][a-z0-9_]*$`)
		}
		if _, has := m[name]; has {
			d.Duplicate()
		}
		var s string
		d.String(&s)
		m[name] = s
	}
	*v = m
}

// MarshalJSON refuses an invalid order.
func (o order) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil) }

// AppendJSON validates the order and appends its text.
func (o *order) AppendJSON(b []byte) ([]byte, error) {
	if err := o.Validate(); err != nil {
		return b, err
	}
	b = append(b, `{"id":`...)
	b = wire.AppendUUID(b, o.ID)
	b = append(b, `,"customer":{"id":`...)
	b = wire.AppendUUID(b, o.Customer.ID)
	b = append(b, `,"email":`...)
	b = wire.AppendString(b, o.Customer.Email)
	b = append(b, `,"name":`...)
	b = wire.AppendString(b, o.Customer.Name)
	b = append(b, `},"placed":`...)
	b = wire.AppendTime(b, o.Placed)
	b = append(b, `,"currency":`...)
	b = wire.AppendString(b, string(o.Currency))
	b = append(b, `,"channel":`...)
	b = wire.AppendString(b, string(o.Channel))
	b = append(b, `,"lines":[`...)
	for i := range o.Lines {
		if i > 0 {
			b = append(b, ',')
		}
		l := &o.Lines[i]
		b = append(b, `{"sku":`...)
		b = wire.AppendString(b, l.SKU)
		b = append(b, `,"quantity":`...)
		b = wire.AppendInt(b, l.Quantity)
		b = append(b, `,"price":`...)
		b = wire.AppendFloat(b, l.Price)
		b = append(b, `,"unit":`...)
		b = wire.AppendString(b, string(l.Unit))
		b = append(b, '}')
	}
	b = append(b, ']')
	if o.Tags != nil {
		b = append(b, `,"tags":[`...)
		for i, tag := range o.Tags {
			if i > 0 {
				b = append(b, ',')
			}
			b = wire.AppendString(b, tag)
		}
		b = append(b, ']')
	}
	if o.Metadata != nil {
		b = append(b, `,"metadata":{`...)
		for i, name := range wire.SortedKeys(o.Metadata) {
			if i > 0 {
				b = append(b, ',')
			}
			b = wire.AppendString(b, name)
			b = append(b, ':')
			b = wire.AppendString(b, o.Metadata[name])
		}
		b = append(b, '}')
	}
	b = append(b, `,"total":`...)
	b = wire.AppendFloat(b, o.Total)
	if o.Note != nil {
		b = append(b, `,"note":`...)
		b = wire.AppendString(b, *o.Note)
	}
	return append(b, '}'), nil
}

// Validate checks the order as its schema does.
func (o *order) Validate() error {
	var r wire.Report
	if !wire.ValidTime(o.Placed) {
		r.Enter("placed")
		r.Format(o.Placed.String(), "date-time")
		r.Leave()
	}
	if !wire.FormatEmail(o.Customer.Email) {
		r.Enter("customer")
		r.Enter("email")
		r.Format(o.Customer.Email, "email")
		r.Leave()
		r.Leave()
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		if l.Quantity < 1 {
			r.Enter("lines")
			r.EnterIndex(i)
			r.Enter("quantity")
			r.Number("minimum", l.Quantity, "1")
			r.Leave()
			r.Leave()
			r.Leave()
		}
		if !patternSKU.Match(l.SKU) {
			r.Enter("lines")
			r.EnterIndex(i)
			r.Enter("sku")
			r.Pattern(l.SKU, `^[A-Z]{3}-[0-9]{4}$`)
			r.Leave()
			r.Leave()
			r.Leave()
		}
	}
	return r.Err("order.created")
}
