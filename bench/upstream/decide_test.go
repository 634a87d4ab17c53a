// Package upstream measures what Kubernetes' own replica calculator costs, for bench/decide.py to
// set beside Headroom's.
//
//	go test -bench . -benchmem
//
// Pods come from a slice and readings from a map that are there already: no API server, no cache,
// no list that is copied. What is counted is the calculation alone, which flatters upstream;
// normalising its answer (windows, policies, bounds) is private to the controller and left out,
// too.
//
// Tolerances has no public fields, so its zero value is used: any ratio but 1 proposes a change,
// the longer of the two ways through the calculator.
package upstream

import (
	"context"
	"fmt"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const (
	namespace = "shop"

	cpuInitializationPeriod = 5 * time.Minute
	initialReadinessDelay   = 30 * time.Second

	targetUtilization = 60               // percent
	targetMemory      = 200 << 20 * 1000 // milli-bytes
	cpuRequest        = 500              // milli-cores
	cpuUsage          = 415              // milli-cores: 83 %
	memoryUsage       = 150 << 20 * 1000 // milli-bytes
	podAge            = 30 * time.Minute // older than cpuInitializationPeriod
	metricWindow      = 30 * time.Second
)

// pods is a lister whose every namespace has the same pods, all of them selected.
type pods []*v1.Pod

func (p pods) List(labels.Selector) ([]*v1.Pod, error)    { return p, nil }
func (p pods) Pods(string) corelisters.PodNamespaceLister { return p }
func (p pods) Get(name string) (*v1.Pod, error) {
	return nil, fmt.Errorf("pod %s: not asked for by the calculator", name)
}

// readings is a client that has each resource's readings at hand.
type readings map[v1.ResourceName]metrics.PodMetricsInfo

func (r readings) GetResourceMetric(_ context.Context, name v1.ResourceName, _ string, _ labels.Selector, _ string) (metrics.PodMetricsInfo, time.Time, error) {
	return r[name], time.Time{}, nil
}

func (r readings) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, fmt.Errorf("metric %s: only resources are measured here", name)
}

func (r readings) GetObjectMetric(name, _ string, _ *autoscaling.CrossVersionObjectReference, _ labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, fmt.Errorf("metric %s: only resources are measured here", name)
}

func (r readings) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	return nil, time.Time{}, fmt.Errorf("metric %s: only resources are measured here", name)
}

func pod(name string, started time.Time) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: map[string]string{"app": "web"}},
		Spec: v1.PodSpec{Containers: []v1.Container{{
			Name: "web",
			Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
				v1.ResourceCPU:    *resource.NewMilliQuantity(cpuRequest, resource.DecimalSI),
				v1.ResourceMemory: *resource.NewQuantity(256<<20, resource.BinarySI),
			}},
		}}},
		Status: v1.PodStatus{
			Phase:     v1.PodRunning,
			StartTime: &metav1.Time{Time: started},
			Conditions: []v1.PodCondition{{
				Type: v1.PodReady, Status: v1.ConditionTrue, LastTransitionTime: metav1.Time{Time: started},
			}},
		},
	}
}

// scaler is one autoscaler's calculator, with so many ready pods and their readings.
type scaler struct {
	calculator *podautoscaler.ReplicaCalculator
	replicas   int32
}

func newScaler(count int) scaler {
	started := time.Now().Add(-podAge)
	list := make(pods, count)
	cpu := make(metrics.PodMetricsInfo, count)
	memory := make(metrics.PodMetricsInfo, count)
	for i := range list {
		name := fmt.Sprintf("web-6d4cf56db6-%05d", i)
		list[i] = pod(name, started)
		cpu[name] = metrics.PodMetric{Timestamp: started.Add(podAge), Window: metricWindow, Value: cpuUsage}
		memory[name] = metrics.PodMetric{Timestamp: started.Add(podAge), Window: metricWindow, Value: memoryUsage}
	}
	return scaler{
		calculator: podautoscaler.NewReplicaCalculator(
			readings{v1.ResourceCPU: cpu, v1.ResourceMemory: memory}, list,
			cpuInitializationPeriod, initialReadinessDelay),
		replicas: int32(count),
	}
}

// propose is what the controller asks for cpu (Utilization) and, with two metrics, for memory
// (AverageValue): the larger wins.
func (s scaler) propose(ctx context.Context, metricCount int) (int32, error) {
	proposal, _, _, _, err := s.calculator.GetResourceReplicas(ctx, s.replicas, targetUtilization,
		v1.ResourceCPU, podautoscaler.Tolerances{}, namespace, labels.Everything(), "")
	if err != nil || metricCount == 1 {
		return proposal, err
	}
	second, _, _, err := s.calculator.GetRawResourceReplicas(ctx, s.replicas, targetMemory,
		v1.ResourceMemory, podautoscaler.Tolerances{}, namespace, labels.Everything(), "")
	return max(proposal, second), err
}

func BenchmarkDecide(b *testing.B) {
	cases := []struct {
		name                      string
		autoscalers, pods, metric int
		want                      int32
	}{
		{"1 metric, 10 pods", 1, 10, 1, 14},
		{"2 metrics, 10 pods", 1, 10, 2, 14},
		{"1 metric, 5000 pods", 1, 5000, 1, 6917},
		{"10000 autoscalers of 10 pods and 2 metrics", 10000, 10, 2, 14},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			scalers := make([]scaler, c.autoscalers)
			for i := range scalers {
				scalers[i] = newScaler(c.pods)
			}
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				for _, s := range scalers {
					if got, err := s.propose(ctx, c.metric); err != nil || got != c.want {
						b.Fatalf("%d replicas, %v; want %d", got, err, c.want)
					}
				}
			}
		})
	}
}
