// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p outline-regions | filecheck %s
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p insert-device-copies,outline-regions | filecheck %s --check-prefix=MERGED

// What is beside each other on a device is one region; rewrites may have made ops without a device.
// CHECK-LABEL: func.func @ops_of_a_device_become_a_function(%x: tensor<8xf32>, %z: tensor<8xf32>)
// CHECK-NEXT:    %a = graph.device_copy %x {source = "cpu", to = "opencl:intel-gen9"}
// CHECK-NEXT:    %b, %c = func.call @region0_opencl(%a) : (tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
// CHECK-NEXT:    %d = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"}
// CHECK-NEXT:    %e = func.call @region1_cpu(%z, %d)
// CHECK-NEXT:    %f = graph.device_copy %c {source = "opencl:intel-gen9", to = "cpu"}
// CHECK-NEXT:    func.return %e, %f
// CHECK:       func.func private @region0_opencl(%a: tensor<8xf32>)
// CHECK-SAME:    attributes {lamina.device = "opencl:intel-gen9", lamina.placed = ["2 x rule '*:opencl'"]}
// CHECK-NEXT:    graph.relu %a : tensor<8xf32>
// CHECK-NEXT:    graph.tanh %b {lamina.source = "t"} : tensor<8xf32>
// CHECK-NEXT:    func.return %b, %c
// CHECK:       func.func private @region1_cpu
func.func @ops_of_a_device_become_a_function(%x: tensor<8xf32>, %z: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %a = graph.device_copy %x {source = "cpu", to = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.relu %a {device = "opencl:intel-gen9", placed = "rule '*:opencl'"} : tensor<8xf32> -> tensor<8xf32>
  %c = graph.tanh %b {lamina.source = "t", placed = "rule '*:opencl'"} : tensor<8xf32> -> tensor<8xf32>
  %d = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  %e = graph.add %z, %d : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %f = graph.device_copy %c {source = "opencl:intel-gen9", to = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %e, %f : tensor<8xf32>, tensor<8xf32>
}

// -----
// Two parts of a device that wait for each other's neighbours are two regions, parallel ones are one.
// MERGED-LABEL: func.func @regions_have_no_circle
// MERGED:         func.call @region0_opencl(%x_1) : (tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
// MERGED:         func.call @region1_cpu
// MERGED:         func.call @region2_opencl
// MERGED-NOT:     func.call
// MERGED:         func.return
// MERGED:       func.func private @region0_opencl
// MERGED-NEXT:    graph.relu
// MERGED-NEXT:    graph.tanh
// MERGED-NEXT:    func.return
func.func @regions_have_no_circle(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.abs %a {device = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  %c = graph.tanh %x {device = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %d = graph.add %a, %b {device = "opencl:intel-gen9"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %e = graph.mul %c, %d {device = "opencl:intel-gen9"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  func.return %e : tensor<8xf32>
}

// -----
// That the host begins saves a region.
// MERGED-LABEL: func.func @first_device_is_the_one_that_saves_regions
// MERGED:         func.call @region0_cpu
// MERGED:         func.call @region1_opencl
// MERGED-NOT:     func.call
// MERGED:         func.return
func.func @first_device_is_the_one_that_saves_regions(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.tanh %x {device = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  %c = graph.add %a, %b {device = "opencl:intel-gen9"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  func.return %c : tensor<8xf32>
}

// -----
// MERGED-LABEL: func.func @constants_are_in_every_region_that_reads_them
// MERGED-NOT:     graph.constant
// MERGED:         func.return
// MERGED:       func.func private @region0_cpu
// MERGED-NEXT:    graph.constant dense<-2.500000e+00>
// MERGED-NEXT:    graph.abs
// MERGED-NEXT:    graph.add
// MERGED:       func.func private @region1_opencl(%a: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>)
// MERGED-NEXT:    graph.constant dense<-2.500000e+00>
// MERGED-NEXT:    graph.abs
// MERGED-NEXT:    graph.mul
func.func @constants_are_in_every_region_that_reads_them(%x: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %w = graph.constant dense<-2.5> : tensor<1xf32>
  %r = graph.abs %w : tensor<1xf32> -> tensor<1xf32>
  %a = graph.add %x, %r {device = "cpu"} : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %b = graph.mul %a, %r {device = "opencl:intel-gen9"} : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  func.return %b, %r : tensor<1xf32>, tensor<1xf32>
}

// -----
// CHECK-LABEL: func.func @network_on_one_device_stays_whole
// CHECK-SAME:    attributes {lamina.device = "opencl:intel-gen9", lamina.placed = ["1 x as fast as cpu"]}
// CHECK-NEXT:    graph.relu %x : tensor<8xf32>
func.func @network_on_one_device_stays_whole(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9", placed = "as fast as cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %a : tensor<8xf32>
}

// -----
// CHECK: outline-regions: @copies_are_missing is on opencl:intel-gen9, cpu, and no copy is between them; run insert-device-copies first
func.func @copies_are_missing(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.tanh %a {device = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %b : tensor<8xf32>
}

// -----
// CHECK: outline-regions: graph.relu is on cpu, 't' (graph.tanh) on opencl:intel-gen9, and no copy is between them; run place-on-devices, then insert-device-copies
func.func @one_copy_is_missing(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.tanh %a {lamina.source = "t"} : tensor<8xf32> -> tensor<8xf32>
  %c = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %c : tensor<8xf32>
}

// -----
// CHECK: outline-regions: 'a' (graph.relu) has no device; run place-on-devices first
func.func @device_is_nowhere(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %a = graph.relu %x {lamina.source = "a"} : tensor<8xf32> -> tensor<8xf32>
  %c = graph.device_copy %y {source = "cpu", to = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %d = graph.tanh %c : tensor<8xf32> -> tensor<8xf32>
  func.return %a, %d : tensor<8xf32>, tensor<8xf32>
}
