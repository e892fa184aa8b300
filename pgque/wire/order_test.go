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
	fieldsOrder = wire.Fields{
		Names:    []string{"id", "customer", "placed", "currency", "channel", "lines", "tags", "metadata", "total", "note"},
		Required: []uint64{0x13f},
	}
	wordsCurrency      = wire.Words{Type: "Currency", Values: []string{"EUR", "USD", "GBP"}}
	wordsChannel       = wire.Words{Type: "Channel", Values: []string{"web", "shop", "phone"}}
	countOrderLines    = wire.Count{Min: 1}
	rulesOrderTags     = wire.TextRules{Pattern: &wire.Pattern{Source: "^[a-z0-9-]+$"}}
	rulesOrderMetadata = wire.TextRules{Pattern: &wire.Pattern{Source: "^[a-z][a-z0-9_]*$"}}
	rulesOrderTotal    = wire.NumberRules{Minimum: "0"}

	fieldsCustomer     = wire.Fields{Names: []string{"id", "email", "name"}, Required: []uint64{0x7}}
	rulesCustomerEmail = wire.TextRules{Format: wire.Format{Name: "email", Valid: wire.FormatEmail}}
	rulesCustomerName  = wire.TextRules{MinLength: 1, MaxLength: 100}

	fieldsLine        = wire.Fields{Names: []string{"sku", "quantity", "price", "unit"}, Required: []uint64{0xf}}
	wordsUnit         = wire.Words{Type: "Unit", Values: []string{"piece", "kg", "box"}}
	rulesLineSKU      = wire.TextRules{Pattern: &wire.Pattern{Source: "^[A-Z]{3}-[0-9]{4}$"}}
	rulesLineQuantity = wire.IntegerRules{Min: 1, Max: wire.NoMax}
	rulesLinePrice    = wire.NumberRules{Minimum: "0"}
)

// UnmarshalJSON accepts exactly the valid orders. The order stays as it was on an
// error.
func (o *order) UnmarshalJSON(b []byte) error {
	d := wire.Open(b)
	var v order
	v.decode(d)
	if err := d.Close("order.created"); err != nil {
		return err
	}
	*o = v
	return nil
}

func (o *order) decode(d *wire.Decoder) {
	m := d.Fields(&fieldsOrder)
	for m.Next(d) {
		switch m.Field {
		case 0:
			d.UUID(&o.ID)
		case 1:
			o.Customer.decode(d)
		case 2:
			d.Time(&o.Placed)
		case 3:
			d.Word((*string)(&o.Currency), &wordsCurrency)
		case 4:
			d.Word((*string)(&o.Channel), &wordsChannel)
		case 5:
			if d.Array() {
				o.Lines = []line{}
				for d.Item() {
					item := wire.Add(d, &o.Lines)
					item.decode(d)
				}
				d.CountItems(len(o.Lines), &countOrderLines)
			}
		case 6:
			if d.Array() {
				o.Tags = []string{}
				for d.Item() {
					item := wire.Add(d, &o.Tags)
					d.String(item, &rulesOrderTags)
				}
			}
		case 7:
			if d.Object() {
				members := map[string]string{}
				for d.Member() {
					name := wire.NewName(d, members, &rulesOrderMetadata)
					var item string
					d.String(&item, nil)
					members[name] = item
				}
				o.Metadata = members
			}
		case 8:
			d.Float(&o.Total, &rulesOrderTotal)
		case 9:
			o.Note = new(string)
			d.String(o.Note, nil)
		}
	}
}

func (c *customer) decode(d *wire.Decoder) {
	m := d.Fields(&fieldsCustomer)
	for m.Next(d) {
		switch m.Field {
		case 0:
			d.UUID(&c.ID)
		case 1:
			d.String(&c.Email, &rulesCustomerEmail)
		case 2:
			d.String(&c.Name, &rulesCustomerName)
		}
	}
}

func (l *line) decode(d *wire.Decoder) {
	m := d.Fields(&fieldsLine)
	for m.Next(d) {
		switch m.Field {
		case 0:
			d.String(&l.SKU, &rulesLineSKU)
		case 1:
			d.Int64(&l.Quantity, &rulesLineQuantity)
		case 2:
			d.Float(&l.Price, &rulesLinePrice)
		case 3:
			d.Word((*string)(&l.Unit), &wordsUnit)
		}
	}
}

// MarshalJSON refuses an invalid order.
func (o order) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil) }

// AppendJSON validates the order and appends its text.
func (o *order) AppendJSON(b []byte) ([]byte, error) {
	e := wire.Encode(b)
	o.encode(e)
	return e.Close("order.created")
}

// Validate checks the order as its schema does.
func (o *order) Validate() error {
	e := wire.Encode(nil)
	o.encode(e)
	return e.Err("order.created")
}

func (o *order) encode(e *wire.Encoder) {
	e.UUID(`{"id":`, o.ID)
	e.Text(`,"customer":`)
	o.Customer.encode(e)
	e.Time(`,"placed":`, o.Placed)
	e.Word(`,"currency":`, string(o.Currency), &wordsCurrency)
	e.Word(`,"channel":`, string(o.Channel), &wordsChannel)
	e.Array(`,"lines":`, len(o.Lines), &countOrderLines)
	for i := range o.Lines {
		e.Comma()
		o.Lines[i].encode(e)
	}
	e.Text("]")
	if o.Tags != nil {
		e.Array(`,"tags":`, len(o.Tags), nil)
		for i := range o.Tags {
			e.Comma()
			e.String("", o.Tags[i], &rulesOrderTags)
		}
		e.Text("]")
	}
	if o.Metadata != nil {
		e.Object(`,"metadata":`, len(o.Metadata), nil)
		for _, name := range wire.SortedKeys(o.Metadata) {
			e.Name(name, &rulesOrderMetadata)
			e.String("", o.Metadata[name], nil)
		}
		e.Text("}")
	}
	e.Float(`,"total":`, o.Total, &rulesOrderTotal)
	if o.Note != nil {
		e.String(`,"note":`, *o.Note, nil)
	}
	e.Text("}")
}

func (c *customer) encode(e *wire.Encoder) {
	e.UUID(`{"id":`, c.ID)
	e.String(`,"email":`, c.Email, &rulesCustomerEmail)
	e.String(`,"name":`, c.Name, &rulesCustomerName)
	e.Text("}")
}

func (l *line) encode(e *wire.Encoder) {
	e.String(`{"sku":`, l.SKU, &rulesLineSKU)
	e.Int64(`,"quantity":`, l.Quantity, &rulesLineQuantity)
	e.Float(`,"price":`, l.Price, &rulesLinePrice)
	e.Word(`,"unit":`, string(l.Unit), &wordsUnit)
	e.Text("}")
}
