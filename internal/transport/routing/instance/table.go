package instance

import (
	"io"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/transport/routing"
)

const maxVehicles = 1000

// readCordeau reads the dial-a-ride format of Cordeau & Laporte (2003) and Cordeau (2006): "vehicles requests longest-route capacity longest-ride", the
// depot, pickups 1 to n, deliveries n+1 to 2n, and in some files the depot again. The second number is n or, in the older files, 2n.
func readCordeau(in io.Reader) (*Instance, error) {
	list, err := rows(in, func(int, string) bool { return false })
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fault.Invalidf("line 1: the file is empty (want vehicles, requests, longest route, capacity, longest ride)")
	}
	head, list := list[0], list[1:]
	if len(head.values) != 5 {
		return nil, head.wrong("%d numbers (want 5: vehicles, requests, longest route, capacity, longest ride)", len(head.values))
	}
	vehicles, err := head.whole(0, "the number of vehicles", 1, maxVehicles)
	if err != nil {
		return nil, err
	}
	said, err := head.whole(1, "the number of requests", 1, maxNodes)
	if err != nil {
		return nil, err
	}
	capacity, err := head.whole(3, "the capacity", 1, routing.MaxLoad)
	if err != nil {
		return nil, err
	}
	duration, ride := head.values[2], head.values[4]
	if duration <= 0 || ride <= 0 {
		return nil, head.wrong("longest route %v and longest ride %v (want more than 0)", duration, ride)
	}
	n := (len(list) - 1) / 2
	if n < 1 || said != n && said != 2*n {
		return nil, head.wrong("%d requests are said, and %d nodes follow (want the depot, a pickup and a delivery of each request, and perhaps the depot again)", said, len(list))
	}
	nodes, err := points(list, 7, 1, 3, 5, 6)
	if err != nil {
		return nil, err
	}
	if len(list) == 2*n+2 { // the depot again
		if end := nodes[2*n+1]; end.x != nodes[0].x || end.y != nodes[0].y {
			return nil, list[2*n+1].wrong("the last node is not the depot (one vehicle fleet from one depot)")
		}
		nodes = nodes[:2*n+1]
	}
	out := &Instance{}
	p := &out.Problem
	p.Distance = plane(nodes)
	p.Duration = p.Distance
	p.Vehicles = fleet(vehicles, capacity, routing.Seats, nodes[0], duration)
	for i := 1; i <= n; i++ {
		load, err := list[i].whole(4, "the load of a pickup", 0, routing.MaxLoad)
		if err != nil {
			return nil, err
		}
		if back := list[n+i].values[4]; back != -float64(load) {
			return nil, list[n+i].wrong("the load of a delivery is %v (want %d, what its pickup took)", back, -load)
		}
		p.Requests = append(p.Requests, routing.Request{ID: strconv.Itoa(i), Stops: []routing.Stop{nodes[i].stop(i), nodes[n+i].stop(n + i)},
			Load: routing.Load{routing.Seats: load}, MaxRide: ride})
		out.Nodes = append(out.Nodes, [2]int{i, n + i})
	}
	return out, nil
}

// goods reads what both formats of goods begin with: so many vehicles of a capacity, and the nodes, of which the first is the depot, in lines of so many numbers.
func goods(head row, list []row, numbers int) (out *Instance, nodes []point, err error) {
	vehicles, err := head.whole(0, "the number of vehicles", 1, maxVehicles)
	if err != nil {
		return nil, nil, err
	}
	capacity, err := head.whole(1, "the capacity", 1, routing.MaxLoad)
	if err != nil {
		return nil, nil, err
	}
	nodes, err = points(list, numbers, 1, 6, 4, 5)
	if err != nil {
		return nil, nil, err
	}
	out = &Instance{Vehicles: true}
	p := &out.Problem
	p.Distance = plane(nodes)
	p.Duration = p.Distance
	p.Vehicles = fleet(vehicles, capacity, routing.Goods, nodes[0], 0)
	return out, nodes, nil
}

// readLiLim reads the format of Li & Lim (2001): "vehicles capacity speed", then "node x y demand from to service pickup delivery" with the depot as node 0. The
// speed is passed over: files have 1 or 0 there, and durations are distances in all of them.
func readLiLim(in io.Reader) (*Instance, error) {
	list, err := rows(in, func(int, string) bool { return false })
	if err != nil {
		return nil, err
	}
	if len(list) < 2 {
		return nil, fault.Invalidf("line 1: the file has no nodes (want vehicles, capacity, speed; then a line for each node)")
	}
	head, list := list[0], list[1:]
	if len(head.values) != 3 {
		return nil, head.wrong("%d numbers (want 3: vehicles, capacity, speed)", len(head.values))
	}
	out, nodes, err := goods(head, list, 9)
	if err != nil {
		return nil, err
	}
	p := &out.Problem
	for i := 1; i < len(list); i++ {
		r := list[i]
		pickup, err := r.whole(7, "the pickup", 0, len(list)-1)
		if err != nil {
			return nil, err
		}
		delivery, err := r.whole(8, "the delivery", 0, len(list)-1)
		if err != nil {
			return nil, err
		}
		if (pickup == 0) == (delivery == 0) {
			return nil, r.wrong("pickup %d and delivery %d (want 0 for one of them: a node is picked up at or delivered to)", pickup, delivery)
		}
		other, column := delivery, 7
		if pickup != 0 {
			other, column = pickup, 8
		}
		if back := list[other].values[column]; back != float64(i) {
			return nil, r.wrong("node %d belongs to node %d, which belongs to %v", i, other, back)
		}
		if pickup != 0 {
			continue
		}
		load, err := r.whole(3, "the demand of a pickup", 0, routing.MaxLoad)
		if err != nil {
			return nil, err
		}
		if back := list[delivery].values[3]; back != -float64(load) {
			return nil, list[delivery].wrong("the demand of a delivery is %v (want %d, what its pickup took)", back, -load)
		}
		p.Requests = append(p.Requests, routing.Request{ID: strconv.Itoa(i), Stops: []routing.Stop{nodes[i].stop(i), nodes[delivery].stop(delivery)},
			Load: routing.Load{routing.Goods: load}})
		out.Nodes = append(out.Nodes, [2]int{i, delivery})
	}
	return out, nil
}

// readSolomon reads the format of Solomon (1987), which Gehring & Homberger use too: words, "vehicles capacity", words, then "customer x y demand from to
// service" with the depot as customer 0.
func readSolomon(in io.Reader) (*Instance, error) {
	list, err := rows(in, func(n int, line string) bool {
		return n == 1 || strings.ContainsAny(line[:1], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	})
	if err != nil {
		return nil, err
	}
	if len(list) < 2 {
		return nil, fault.Invalidf("line 1: the file has no customers (want a name, VEHICLE with number and capacity, CUSTOMER with a line for each)")
	}
	head, list := list[0], list[1:]
	if len(head.values) != 2 {
		return nil, head.wrong("%d numbers (want 2: vehicles, capacity)", len(head.values))
	}
	out, nodes, err := goods(head, list, 7)
	if err != nil {
		return nil, err
	}
	p := &out.Problem
	for i := 1; i < len(list); i++ {
		load, err := list[i].whole(3, "the demand", 0, routing.MaxLoad)
		if err != nil {
			return nil, err
		}
		p.Requests = append(p.Requests, routing.Request{ID: strconv.Itoa(i), Stops: []routing.Stop{nodes[i].stop(i)}, Load: routing.Load{routing.Goods: load}})
		out.Nodes = append(out.Nodes, [2]int{i, 0})
	}
	return out, nil
}
