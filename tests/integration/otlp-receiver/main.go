// The OpenTelemetry collector's own OTLP receiver, and nothing else of it: what it understood of
// what it was sent is printed as it writes it, one JSON object a line.
//
//	otlp-receiver '{"protocols": {"http": {"endpoint": "127.0.0.1:4318"}}}'
//
// takes the receiver's configuration as a collector's file has it. It ends with SIGTERM.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	nometric "go.opentelemetry.io/otel/metric/noop"
	notrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

var printing sync.Mutex

func show(body []byte, err error) error {
	if err != nil {
		return err
	}
	printing.Lock()
	defer printing.Unlock()
	_, err = os.Stdout.Write(append(body, '\n'))
	return err
}

type host struct{}

func (host) GetExtensions() map[component.ID]component.Component { return nil }

func run(config string) error {
	var values map[string]any
	if err := json.Unmarshal([]byte(config), &values); err != nil {
		return err
	}
	factory := otlpreceiver.NewFactory()
	parsed := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(values).Unmarshal(parsed); err != nil {
		return err
	}
	logger, err := zap.NewDevelopment()
	if err != nil {
		return err
	}
	settings := receiver.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger:         logger,
			TracerProvider: notrace.NewTracerProvider(),
			MeterProvider:  nometric.NewMeterProvider(),
			Resource:       pcommon.NewResource(),
		},
	}
	traces, err := consumer.NewTraces(func(_ context.Context, all ptrace.Traces) error {
		return show((&ptrace.JSONMarshaler{}).MarshalTraces(all))
	})
	if err != nil {
		return err
	}
	logs, err := consumer.NewLogs(func(_ context.Context, all plog.Logs) error {
		return show((&plog.JSONMarshaler{}).MarshalLogs(all))
	})
	if err != nil {
		return err
	}
	metrics, err := consumer.NewMetrics(func(_ context.Context, all pmetric.Metrics) error {
		return show((&pmetric.JSONMarshaler{}).MarshalMetrics(all))
	})
	if err != nil {
		return err
	}
	// The three are one receiver, which each of them names.
	background := context.Background()
	if _, err = factory.CreateLogs(background, settings, parsed, logs); err != nil {
		return err
	}
	if _, err = factory.CreateMetrics(background, settings, parsed, metrics); err != nil {
		return err
	}
	receives, err := factory.CreateTraces(background, settings, parsed, traces)
	if err != nil {
		return err
	}
	if err := receives.Start(background, host{}); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	return receives.Shutdown(background)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: otlp-receiver CONFIG")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "otlp-receiver:", err)
		os.Exit(1)
	}
}
