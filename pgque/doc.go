// Package pgque is a client for PgQue: queues inside PostgreSQL, in plain PL/pgSQL.
//
// # The walk of one event
//
// A producer sends an event, a type and a JSON payload, to a named queue: a row is
// inserted into the queue's current table. A ticker closes a window by recording a
// snapshot, the tick. What became visible between two ticks is a batch. Every
// consumer of the queue has its own cursor and receives every event: the batch
// comes in pages, each is handled and then acked, which moves the cursor. A message
// that could not be handled is put back for that consumer alone and returns after a
// delay; when its retries are used up it goes to the dead letters. Tables of old
// windows are emptied by rotation, so event tables never hold dead rows.
//
// # Words
//
//   - event: what a producer sends
//   - queue: a named, shared, append-only log of events
//   - message: one event as one consumer receives it
//   - tick: a recorded snapshot that closes a batch window
//   - batch: the messages between two ticks, for one consumer
//   - page: the part of a batch that one Receive returns
//   - consumer: a named cursor on a queue
//   - nack: put one message back for this consumer, after a delay
//   - dead letter: a message that used up its retries, or was rejected
//   - ticker: whatever calls the tick and maintenance functions
//
// # Guarantees
//
// An event that was sent in a committed transaction reaches every consumer that was
// subscribed then, at least once. Send, tick and receive are separate transactions:
// what a transaction sends can be received only after its commit and a later tick.
// The effects of a HandleTx handler happen exactly once.
package pgque
