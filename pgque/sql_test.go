package pgque

// What a consumer that reads on asks, for the tests of the engine.
const SQLEventsBehind = sqlEventsBehind
