package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// bus renders the typed surface of the queue: names, producer, consumer.
func (u *unit) bus(f *jen.File) {
	u.declareNames(f)
	u.declareSchemas(f)
	u.declareInterface(f)
	u.declareProducer(f)
	for _, ev := range u.queue.Events {
		u.declareSend(f, ev)
	}
	u.declareConsumer(f)
	for _, ev := range u.queue.Events {
		u.declareOn(f, ev)
		u.declareOnBatch(f, ev)
	}
	u.declareHandlers(f)
	for _, ev := range u.queue.Events {
		u.declareDeadLetters(f, ev)
	}
}

// declareNames renders the names of the queue and its event types.
func (u *unit) declareNames(f *jen.File) {
	// const QueueOrders = "orders"
	f.Comment("// " + u.queue.Const + " is the name of the queue.")
	f.Const().Add(id(u.queue.Const)).Op("=").Lit(u.queue.Name)
	f.Line()
	// const (
	// 	TypeOrderCreated = "order.created"
	// )
	f.Comment("// The types of the queue's events.")
	f.Const().DefsFunc(func(g *jen.Group) {
		for _, ev := range u.queue.Events {
			g.Add(id(ev.Const)).Op("=").Lit(ev.Type)
		}
	})
	f.Line()
}

// declareSchemas renders the schemas of the events, for tools.
func (u *unit) declareSchemas(f *jen.File) {
	// const (
	// 	SchemaOrderCreated = "{…}"
	// )
	f.Comment("// The JSON Schemas of the queue's events, for tools. References in them lead to")
	f.Comment("// other files.")
	f.Const().DefsFunc(func(g *jen.Group) {
		for _, ev := range u.queue.Events {
			g.Add(id("Schema" + ev.Go)).Op("=").Lit(ev.Schema)
		}
	})
	f.Line()
}

func (u *unit) eventInterface() *jen.Statement { return id(u.queue.Go + "Event") }

// declareInterface renders what all events of the queue have in common.
func (u *unit) declareInterface(f *jen.File) {
	// type OrdersEvent interface {
	// 	EventType() string
	// 	Validate() error
	// 	AppendJSON(b []byte) ([]byte, error)
	// 	ofOrders()
	// }
	seal := "of" + u.queue.Go
	f.Comment("// " + u.queue.Go + "Event is an event of the queue.")
	f.Type().Add(u.eventInterface()).Interface(
		jen.Id("EventType").Params().String(),
		jen.Id("Validate").Params().Error(),
		jen.Id("AppendJSON").Params(jen.Id("b").Index().Byte()).Params(jen.Index().Byte(), jen.Error()),
		jen.Id(seal).Params(),
	)
	f.Line()
	for _, ev := range u.queue.Events {
		// func (OrderCreated) ofOrders() {}
		f.Func().Params(id(ev.Go)).Id(seal).Params().Block()
	}
	f.Line()
}

func ctx() *jen.Statement { return jen.Id("ctx").Qual(pathContext, "Context") }

func (u *unit) declareProducer(f *jen.File) {
	name := u.queue.Go + "Producer"
	// type OrdersProducer struct { sender pgque.Sender }
	f.Comment("// " + name + " sends events to the queue. An event that its schema does not accept is")
	f.Comment("// not sent; the error then holds a *wire.ValidationError.")
	f.Type().Add(id(name)).Struct(jen.Id("sender").Qual(pathBus, "Sender")).Line()
	// func NewOrdersProducer(s pgque.Sender) *OrdersProducer { return &OrdersProducer{sender: s} }
	f.Comment("// New" + name + " sends through a client, or through client.WithTx(tx) in the")
	f.Comment("// application's own transaction.")
	f.Func().Add(id("New" + name)).Params(jen.Id("s").Qual(pathBus, "Sender")).Op("*").Add(id(name)).Block(
		jen.Return(jen.Op("&").Add(id(name)).Values(jen.Dict{jen.Id("sender"): jen.Id("s")})),
	).Line()
	u.declareSendAll(f, name)
}

// declareSendAll renders the batch of events of different types.
func (u *unit) declareSendAll(f *jen.File, name string) {
	// func (p *OrdersProducer) SendBatch(ctx context.Context, events ...OrdersEvent) ([]int64, error) {
	// 	batch := make([]pgque.Event, len(events))
	// 	for i, ev := range events {
	// 		batch[i] = pgque.Event{Type: ev.EventType(), Payload: ev}
	// 	}
	// 	return p.sender.SendBatch(ctx, QueueOrders, batch)
	// }
	f.Comment("// SendBatch sends all events or none, in one round trip, and returns their ids in")
	f.Comment("// the order of events.")
	f.Func().Params(jen.Id("p").Op("*").Add(id(name))).Id("SendBatch").
		Params(ctx(), jen.Id("events").Op("...").Add(u.eventInterface())).
		Params(jen.Index().Int64(), jen.Error()).
		Block(u.batch(jen.Id("ev").Dot("EventType").Call())...).Line()
}

func (u *unit) batch(typ jen.Code) []jen.Code {
	return []jen.Code{
		jen.Id("batch").Op(":=").Make(jen.Index().Qual(pathBus, "Event"), jen.Len(jen.Id("events"))),
		jen.For(jen.List(jen.Id("i"), jen.Id("ev")).Op(":=").Range().Id("events")).Block(
			jen.Id("batch").Index(jen.Id("i")).Op("=").Add(busEvent(typ)),
		),
		jen.Return(jen.Id("p").Dot("sender").Dot("SendBatch").Call(jen.Id("ctx"), id(u.queue.Const), jen.Id("batch"))),
	}
}

// busEvent yields pgque.Event{Type: …, Payload: ev}.
func busEvent(typ jen.Code) *jen.Statement {
	return jen.Qual(pathBus, "Event").Values(jen.Id("Type").Op(":").Add(typ), jen.Id("Payload").Op(":").Id("ev"))
}

func (u *unit) declareSend(f *jen.File, ev *model.Event) {
	receiver := jen.Id("p").Op("*").Add(id(u.queue.Go + "Producer"))
	// func (p *OrdersProducer) SendOrderCreated(ctx context.Context, ev OrderCreated) (int64, error) {
	// 	return p.sender.Send(ctx, QueueOrders, pgque.Event{Type: TypeOrderCreated, Payload: ev})
	// }
	f.Comment("// " + ev.Methods.Send + " sends one event and returns its id.")
	f.Func().Params(receiver.Clone()).Add(id(ev.Methods.Send)).Params(ctx(), jen.Id("ev").Add(id(ev.Go))).
		Params(jen.Int64(), jen.Error()).Block(
		jen.Return(jen.Id("p").Dot("sender").Dot("Send").Call(jen.Id("ctx"), id(u.queue.Const), busEvent(id(ev.Const)))),
	).Line()
	// func (p *OrdersProducer) SendOrderCreatedBatch(ctx context.Context, events []OrderCreated) ([]int64, error) { … }
	f.Comment("// " + ev.Methods.SendBatch + " sends all events or none, in one round trip, and returns")
	f.Comment("// their ids in the order of events.")
	f.Func().Params(receiver.Clone()).Add(id(ev.Methods.SendBatch)).Params(ctx(), jen.Id("events").Index().Add(id(ev.Go))).
		Params(jen.Index().Int64(), jen.Error()).
		Block(u.batch(id(ev.Const))...).Line()
}

func (u *unit) declareConsumer(f *jen.File) {
	name := u.queue.Go + "Consumer"
	// type OrdersConsumer struct { consumer *pgque.Consumer }
	f.Comment("// " + name + " receives the events of the queue and gives each to the handler of its")
	f.Comment("// type. An event that its schema does not accept never reaches a handler: it goes")
	f.Comment("// to the dead letters at once. Events of a type without a handler here are done.")
	f.Type().Add(id(name)).Struct(jen.Id("consumer").Op("*").Qual(pathBus, "Consumer")).Line()
	var types []jen.Code
	for _, ev := range u.queue.Events {
		types = append(types, id(ev.Const))
	}
	// func NewOrdersConsumer(c *pgque.Client, name string, opts ...pgque.Option) *OrdersConsumer {
	// 	declared := pgque.WithDeclaredTypes(TypeOrderCreated, …)
	// 	opts = append([]pgque.Option{declared}, opts...)
	// 	return &OrdersConsumer{consumer: c.NewConsumer(QueueOrders, name, opts...)}
	// }
	f.Comment("// New" + name + " makes a consumer of that name; it does nothing before Start.")
	f.Func().Add(id("New"+name)).Params(
		jen.Id("c").Op("*").Qual(pathBus, "Client"), jen.Id("name").String(), jen.Id("opts").Op("...").Qual(pathBus, "Option"),
	).Op("*").Add(id(name)).Block(
		jen.Id("declared").Op(":=").Qual(pathBus, "WithDeclaredTypes").Call(types...),
		jen.Id("opts").Op("=").Append(jen.Index().Qual(pathBus, "Option").Values(jen.Id("declared")), jen.Id("opts").Op("...")),
		jen.Return(jen.Op("&").Add(id(name)).Values(jen.Dict{
			jen.Id("consumer"): jen.Id("c").Dot("NewConsumer").Call(id(u.queue.Const), jen.Id("name"), jen.Id("opts").Op("...")),
		})),
	).Line()
	receiver := jen.Id("c").Op("*").Add(id(name))
	// func (c *OrdersConsumer) Start(ctx context.Context) error { return c.consumer.Start(ctx) }
	f.Comment("// Start receives and handles until ctx is cancelled; see pgque.Consumer.Start.")
	f.Func().Params(receiver.Clone()).Id("Start").Params(ctx()).Error().Block(
		jen.Return(jen.Id("c").Dot("consumer").Dot("Start").Call(jen.Id("ctx"))),
	).Line()
	// func (c *OrdersConsumer) Consumer() *pgque.Consumer { return c.consumer }
	f.Comment("// Consumer is the untyped consumer behind this one, for middleware and Abort.")
	f.Func().Params(receiver.Clone()).Id("Consumer").Params().Op("*").Qual(pathBus, "Consumer").Block(
		jen.Return(jen.Id("c").Dot("consumer")),
	).Line()
	// func (c *OrdersConsumer) OnUnknown(fn pgque.HandlerFunc) { c.consumer.Handle(pgque.CatchAll, fn) }
	f.Comment("// OnUnknown sets the handler of all events without a handler of their own,")
	f.Comment("// those of types that this package does not know included.")
	f.Func().Params(receiver.Clone()).Id("OnUnknown").Params(jen.Id("fn").Qual(pathBus, "HandlerFunc")).Block(
		jen.Id("c").Dot("consumer").Dot("Handle").Call(jen.Qual(pathBus, "CatchAll"), jen.Id("fn")),
	).Line()
}

func handlerType(ev *model.Event) *jen.Statement {
	return jen.Func().Params(jen.Qual(pathContext, "Context"), id(ev.Go)).Error()
}

func (u *unit) declareOn(f *jen.File, ev *model.Event) {
	receiver := jen.Id("c").Op("*").Add(id(u.queue.Go + "Consumer"))
	decode := []jen.Code{
		jen.Var().Id("ev").Add(id(ev.Go)),
		jen.If(
			jen.Err().Op(":=").Add(readText(jen.Id("ev"), jen.Id("msg").Dot("Payload"))),
			jen.Err().Op("!=").Nil(),
		).Block(jen.Return(jen.Qual(pathBus, "Permanent").Call(jen.Err()))),
	}
	// func (c *OrdersConsumer) OnOrderCreated(fn func(context.Context, OrderCreated) error) {
	// 	if fn == nil {
	// 		c.consumer.Handle(TypeOrderCreated, nil)
	// 		return
	// 	}
	// 	c.consumer.Handle(TypeOrderCreated, func(ctx context.Context, msg pgque.Message) error {
	// 		var ev OrderCreated
	// 		if err := ev.read(wire.OpenText(msg.Payload)); err != nil {
	// 			return pgque.Permanent(err)
	// 		}
	// 		return fn(ctx, ev)
	// 	})
	// }
	f.Comment("// " + ev.Methods.On + " sets the handler of " + ev.Const + ". Metadata of the message is in")
	f.Comment("// pgque.MessageFromContext.")
	f.Func().Params(receiver.Clone()).Add(id(ev.Methods.On)).Params(jen.Id("fn").Add(handlerType(ev))).Block(
		refuseNil(jen.Id("c").Dot("consumer").Dot("Handle").Call(id(ev.Const), jen.Nil())),
		jen.Id("c").Dot("consumer").Dot("Handle").Call(id(ev.Const),
			jen.Func().Params(ctx(), jen.Id("msg").Qual(pathBus, "Message")).Error().Block(
				append(append([]jen.Code{}, decode...), jen.Return(jen.Id("fn").Call(jen.Id("ctx"), jen.Id("ev"))))...,
			)),
	).Line()
	// func (c *OrdersConsumer) OnOrderCreatedTx(fn func(context.Context, pgx.Tx, OrderCreated) error) { … }
	tx := jen.Id("tx").Qual(pathPgx, "Tx")
	f.Comment("// " + ev.Methods.OnTx + " sets a handler whose effects in the database and whose message")
	f.Comment("// are settled in one transaction: exactly once.")
	f.Func().Params(receiver.Clone()).Add(id(ev.Methods.OnTx)).
		Params(jen.Id("fn").Func().Params(jen.Qual(pathContext, "Context"), jen.Qual(pathPgx, "Tx"), id(ev.Go)).Error()).Block(
		refuseNil(jen.Id("c").Dot("consumer").Dot("HandleTx").Call(id(ev.Const), jen.Nil())),
		jen.Id("c").Dot("consumer").Dot("HandleTx").Call(id(ev.Const),
			jen.Func().Params(ctx(), tx, jen.Id("msg").Qual(pathBus, "Message")).Error().Block(
				append(append([]jen.Code{}, decode...), jen.Return(jen.Id("fn").Call(jen.Id("ctx"), jen.Id("tx"), jen.Id("ev"))))...,
			)),
	).Line()
}

// refuseNil hands a nil handler on to the consumer, which then does not start.
func refuseNil(handle *jen.Statement) jen.Code {
	return jen.If(jen.Id("fn").Op("==").Nil()).Block(handle, jen.Return())
}

func (u *unit) declareOnBatch(f *jen.File, ev *model.Event) {
	deliveries := jen.Index().Qual(pathBus, "Delivery").Types(id(ev.Go))
	place := jen.Id("batch").Index(jen.Id("i"))
	// func (c *OrdersConsumer) OnOrderCreatedBatch(fn func(context.Context, []pgque.Delivery[OrderCreated]) []error, opts ...pgque.HandlerOption) {
	// 	if fn == nil { … }
	// 	c.consumer.HandleBatch(TypeOrderCreated, func(ctx context.Context, msgs []pgque.Message) []error {
	// 		batch := make([]pgque.Delivery[OrderCreated], len(msgs))
	// 		return pgque.Deliver(msgs, func(i int, msg pgque.Message) error {
	// 			batch[i].Message = msg
	// 			return batch[i].Event.read(wire.OpenText(msg.Payload))
	// 		}, func(n int) []error {
	// 			return fn(ctx, batch[:n:n])
	// 		})
	// 	}, opts...)
	// }
	read := jen.Func().Params(jen.Id("i").Int(), jen.Id("msg").Qual(pathBus, "Message")).Error().Block(
		place.Clone().Dot("Message").Op("=").Id("msg"),
		jen.Return(readText(place.Clone().Dot("Event"), jen.Id("msg").Dot("Payload"))),
	)
	handle := jen.Func().Params(jen.Id("n").Int()).Index().Error().Block(
		jen.Return(jen.Id("fn").Call(jen.Id("ctx"), jen.Id("batch").Index(jen.Empty(), jen.Id("n"), jen.Id("n")))),
	)
	fn := jen.Func().Params(jen.Qual(pathContext, "Context"), deliveries.Clone()).Index().Error()
	f.Comment("// " + ev.Methods.OnBatch + " sets a handler of the events that follow one another. It returns nil")
	f.Comment("// when all are done, otherwise one outcome for each; see pgque.Consumer.HandleBatch.")
	f.Func().Params(jen.Id("c").Op("*").Add(id(u.queue.Go+"Consumer"))).Add(id(ev.Methods.OnBatch)).
		Params(jen.Id("fn").Add(fn), jen.Id("opts").Op("...").Qual(pathBus, "HandlerOption")).Block(
		refuseNil(jen.Id("c").Dot("consumer").Dot("HandleBatch").Call(id(ev.Const), jen.Nil())),
		jen.Id("c").Dot("consumer").Dot("HandleBatch").Call(
			id(ev.Const),
			jen.Func().Params(ctx(), jen.Id("msgs").Index().Qual(pathBus, "Message")).Index().Error().Block(
				jen.Id("batch").Op(":=").Make(deliveries.Clone(), jen.Len(jen.Id("msgs"))),
				jen.Return(jen.Qual(pathBus, "Deliver").Call(jen.Id("msgs"), read, handle)),
			),
			jen.Id("opts").Op("..."),
		),
	).Line()
}

// readText yields ev.read(wire.OpenText(text)).
func readText(ev, text *jen.Statement) *jen.Statement {
	return ev.Dot("read").Call(jen.Qual(pathWire, "OpenText").Call(text))
}

// declareDeadLetters renders a function that is generic for one type: what is generic is
// compiled where it is called, and the methods of the dead letters, which most events
// have no use for, are as much to compile as a codec.
func (u *unit) declareDeadLetters(f *jen.File, ev *model.Event) {
	// func OrderCreatedDeadLetters[client *pgque.Client](c client) *pgque.TypedDeadLetters[*OrderCreated] {
	// 	return pgque.DeadLettersOf(c, QueueOrders, TypeOrderCreated, func(text string) (*OrderCreated, error) {
	// 		ev := new(OrderCreated)
	// 		return ev, ev.read(wire.OpenText(text))
	// 	})
	// }
	pointer := jen.Op("*").Add(id(ev.Go))
	decode := jen.Func().Params(jen.Id("text").String()).Params(pointer.Clone(), jen.Error()).Block(
		jen.Id("ev").Op(":=").New(id(ev.Go)),
		jen.Return(jen.Id("ev"), readText(jen.Id("ev"), jen.Id("text"))),
	)
	name := ev.Go + "DeadLetters"
	f.Comment("// " + name + " lists, shows, edits and replays the dead letters of")
	f.Comment("// " + ev.Const + ". It is generic so that it is compiled only where it is called.")
	f.Func().Add(id(name)).Types(jen.Id("client").Op("*").Qual(pathBus, "Client")).Params(jen.Id("c").Id("client")).
		Op("*").Qual(pathBus, "TypedDeadLetters").Types(pointer.Clone()).Block(
		jen.Return(jen.Qual(pathBus, "DeadLettersOf").Call(jen.Id("c"), id(u.queue.Const), id(ev.Const), decode)),
	).Line()
}

// declareHandlers renders the interface for those who want the compiler to see
// to it that every event is handled.
func (u *unit) declareHandlers(f *jen.File) {
	name := u.queue.Go + "Handlers"
	var methods, calls []jen.Code
	for _, ev := range u.queue.Events {
		methods = append(methods, id(ev.Methods.Handle).Params(jen.Qual(pathContext, "Context"), id(ev.Go)).Error())
		calls = append(calls, jen.Id("c").Dot(ev.Methods.On).Call(jen.Id("h").Dot(ev.Methods.Handle)))
	}
	// type OrdersHandlers interface { HandleOrderCreated(context.Context, OrderCreated) error }
	f.Comment("// " + name + " handles every event of the queue: one that the schemas gain is a")
	f.Comment("// compile error until it is handled.")
	f.Type().Add(id(name)).Interface(methods...).Line()
	// func (c *OrdersConsumer) Handle(h OrdersHandlers) { … }
	f.Comment("// Handle sets the handlers of all events.")
	f.Func().Params(jen.Id("c").Op("*").Add(id(u.queue.Go + "Consumer"))).Id("Handle").Params(jen.Id("h").Add(id(name))).Block(calls...).Line()
}
