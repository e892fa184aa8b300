package main

import (
	"time"

	"github.com/pgque/pgque-go/pgque"
)

// The JSON of -json. Names end in their unit; programs read them, so they stay.
type (
	queueReport struct {
		Queue                 string  `json:"queue"`
		Ticking               ticking `json:"ticking,omitempty"`
		LastTick              int64   `json:"last_tick"`
		LastTickSeconds       float64 `json:"last_tick_seconds"`
		NewEvents             int64   `json:"new_events"`
		EventsPerSecond       float64 `json:"events_per_second"`
		TickerMaxLagSeconds   float64 `json:"ticker_max_lag_seconds"`
		RotationPeriodSeconds float64 `json:"rotation_period_seconds"`
	}

	consumerReport struct {
		Queue           string  `json:"queue"`
		Consumer        string  `json:"consumer"`
		LagSeconds      float64 `json:"lag_seconds"`
		LastSeenSeconds float64 `json:"last_seen_seconds"`
		PendingEvents   int64   `json:"pending_events"`
		LastTick        int64   `json:"last_tick"`
		Batch           int64   `json:"batch"` // 0: none is open
	}

	findingReport struct {
		Component string `json:"component"`
		Status    string `json:"status"`
		Detail    string `json:"detail"`
	}

	statusReport struct {
		Engine     string           `json:"engine"`
		PostgreSQL string           `json:"postgresql"`
		Database   string           `json:"database"`
		Queues     []queueReport    `json:"queues"`
		Consumers  []consumerReport `json:"consumers"`
	}
)

func queueReports(queues []pgque.QueueInfo) []queueReport {
	reports := make([]queueReport, 0, len(queues))
	for _, q := range queues {
		reports = append(reports, queueReport{
			Queue:                 q.Name,
			LastTick:              q.LastTick,
			LastTickSeconds:       q.SinceTick.Seconds(),
			NewEvents:             q.NewEvents,
			EventsPerSecond:       q.EventsPerSecond,
			TickerMaxLagSeconds:   q.TickerMaxLag.Seconds(),
			RotationPeriodSeconds: q.RotationPeriod.Seconds(),
		})
	}
	return reports
}

func consumerReports(consumers []pgque.ConsumerInfo) []consumerReport {
	reports := make([]consumerReport, 0, len(consumers))
	for _, c := range consumers {
		reports = append(reports, consumerReport{
			Queue:           c.Queue,
			Consumer:        c.Consumer,
			LagSeconds:      c.Lag.Seconds(),
			LastSeenSeconds: c.LastSeen.Seconds(),
			PendingEvents:   c.Pending,
			LastTick:        c.LastTick,
			Batch:           c.Batch,
		})
	}
	return reports
}

// duration turns the unit of a report back into what is shown.
func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

func findingReports(findings []pgque.Finding) []findingReport {
	reports := make([]findingReport, len(findings))
	for i, f := range findings {
		reports[i] = findingReport(f)
	}
	return reports
}
