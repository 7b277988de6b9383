// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="opencl:intel-gen9,cpu:haswell" rules="graph.*:opencl","graph.softmax:cpu","last:opencl:intel-gen9"}' | filecheck %s
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="opencl:intel-gen9,cpu:haswell"}' | filecheck %s --check-prefix=COST
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="cpu:haswell" rules="graph.relu:opencl"}' | filecheck %s --check-prefix=NODEVICE
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="cpu:haswell,cpu" rules="graph.relu:cpu"}' | filecheck %s --check-prefix=BOTH
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="cpu:haswell,cpu:znver5" rules="graph.relu:cpu"}' | filecheck %s --check-prefix=WHICH
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets=" , "}' | filecheck %s --check-prefix=NONE
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="cpu,opencl:gen8"}' | filecheck %s --check-prefix=UNKNOWN
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'place-on-devices{targets="cpu,tpu:v1"}' | filecheck %s --check-prefix=BACKEND

// The last rule that matches counts: by the kind of an op, or by its name in the user's model.
// CHECK-LABEL: func.func @rules_decide
// CHECK-NEXT:    graph.relu %x {lamina.source = "first", device = "opencl:intel-gen9", placed = "rule 'graph.*:opencl'"} :
// CHECK-NEXT:    graph.softmax axis 1 %a {lamina.source = "middle", device = "cpu:haswell", placed = "rule 'graph.softmax:cpu'"} :
// CHECK-NEXT:    graph.softmax axis 1 %b {lamina.source = "last", device = "opencl:intel-gen9", placed = "rule 'last:opencl:intel-gen9'"} :
// To hand over a few numbers takes longer than to compute with them.
// COST-LABEL:  func.func @rules_decide
// COST-NEXT:     graph.relu %x {lamina.source = "first", device = "cpu:haswell", placed = "faster than opencl:intel-gen9"} :
// COST-NEXT:     graph.softmax axis 1 %a {lamina.source = "middle", device = "cpu:haswell",
// COST-NEXT:     graph.softmax axis 1 %b {lamina.source = "last", device = "cpu:haswell",
// NODEVICE: place-on-devices: rule 'graph.relu:opencl' needs to be KIND-OR-NODE:DEVICE with one of the devices cpu:haswell, such as graph.softmax:cpu:haswell
// BOTH:           graph.relu %x {lamina.source = "first", device = "cpu", placed = "rule 'graph.relu:cpu'"} :
// BOTH:         place-on-devices: rule 'graph.relu:cpu' matches no op; there are graph.tanh
// WHICH:        place-on-devices: rule 'graph.relu:cpu': 'cpu' is cpu:haswell or cpu:znver5; write one of them
// NONE:         place-on-devices: needs a target, got ' , '
// UNKNOWN:      place-on-devices: unknown target 'opencl:gen8'; did you mean
// BACKEND:      place-on-devices: target 'tpu:v1' needs a back end 'tpu', found cpu, opencl; install the package that has it as an entry point 'lamina.backends'
func.func @rules_decide(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  %a = graph.relu %x {lamina.source = "first"} : tensor<1x8xf32> -> tensor<1x8xf32>
  %b = graph.softmax axis 1 %a {lamina.source = "middle"} : tensor<1x8xf32> -> tensor<1x8xf32>
  %c = graph.softmax axis 1 %b {lamina.source = "last"} : tensor<1x8xf32> -> tensor<1x8xf32>
  func.return %c : tensor<1x8xf32>
}

// -----
// CHECK: place-on-devices: rule 'graph.softmax:cpu' matches no op; there are graph.tanh
// COST-LABEL:  func.func @what_is_made_of_constants_has_no_device
// COST-NEXT:     graph.constant "0" : tensor<8x1xf32>
// COST-NEXT:     graph.reshape %c : tensor<8x1xf32> -> tensor<1x8xf32>
// COST-NEXT:     graph.tanh %x {device = "cpu:haswell",
// COST-NEXT:     graph.add %a, %w {device = "cpu:haswell",
func.func @what_is_made_of_constants_has_no_device(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  %c = graph.constant "0" : tensor<8x1xf32>
  %w = graph.reshape %c : tensor<8x1xf32> -> tensor<1x8xf32>
  %a = graph.tanh %x : tensor<1x8xf32> -> tensor<1x8xf32>
  %y = graph.add %a, %w : (tensor<1x8xf32>, tensor<1x8xf32>) -> tensor<1x8xf32>
  func.return %y : tensor<1x8xf32>
}

// -----
// The device has twice the arithmetic and the same bandwidth: it gets products, if they are many.
// CHECK: place-on-devices: rule 'graph.softmax:cpu' matches no op; there are graph.conv2d
// COST-LABEL:  func.func @many_products_are_for_the_device
// COST:          graph.conv2d {{.*}} {device = "opencl:intel-gen9", placed = "faster than cpu:haswell"} :
// COST-LABEL:  func.func @few_products_stay
// COST:          graph.conv2d {{.*}} {device = "cpu:haswell", placed = "as fast as opencl:intel-gen9"} :
func.func @many_products_are_for_the_device(%x: tensor<1x64x56x56xf32>) -> tensor<1x64x56x56xf32> {
  %w = graph.constant "0" : tensor<64x64x3x3xf32>
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x56x56xf32>
  func.return %y : tensor<1x64x56x56xf32>
}
func.func @few_products_stay(%x: tensor<1x64x56x56xf32>) -> tensor<1x64x56x56xf32> {
  %w = graph.constant "0" : tensor<64x1x3x3xf32>
  %y = graph.conv2d %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 64 : (tensor<1x64x56x56xf32>, tensor<64x1x3x3xf32>) -> tensor<1x64x56x56xf32>
  func.return %y : tensor<1x64x56x56xf32>
}
