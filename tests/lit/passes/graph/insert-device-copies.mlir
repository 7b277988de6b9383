// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p insert-device-copies | filecheck %s

// Each tensor is copied once to each device, inputs and results from and to the host.
// CHECK-LABEL: func.func @one_copy_of_a_tensor_for_each_device(%x: tensor<8xf32>)
// CHECK-NEXT:    %x_1 = graph.device_copy %x {source = "cpu:haswell", to = "opencl:intel-gen9"} :
// CHECK-NEXT:    %a = graph.relu %x_1 {device = "opencl:intel-gen9"}
// CHECK-NEXT:    %a_1 = graph.device_copy %a {source = "opencl:intel-gen9", to = "cpu:haswell"} :
// CHECK-NEXT:    %a_2 = graph.device_copy %a {source = "opencl:intel-gen9", to = "opencl:portable"} :
// CHECK-NEXT:    %b = graph.add %a_1, %x {device = "cpu:haswell"}
// CHECK-NEXT:    %c = graph.mul %a_1, %b {device = "cpu:haswell"}
// CHECK-NEXT:    %d = graph.tanh %a_2 {device = "opencl:portable"}
// CHECK-NEXT:    %d_1 = graph.device_copy %d {source = "opencl:portable", to = "cpu:haswell"} :
// CHECK-NEXT:    func.return %c, %d_1, %a_1
func.func @one_copy_of_a_tensor_for_each_device(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.add %a, %x {device = "cpu:haswell"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %c = graph.mul %a, %b {device = "cpu:haswell"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %d = graph.tanh %a {device = "opencl:portable"} : tensor<8xf32> -> tensor<8xf32>
  func.return %c, %d, %a : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// -----
// CHECK-LABEL: func.func @constants_are_on_every_device
// CHECK-NEXT:    %w = graph.constant
// CHECK-NEXT:    %r = graph.abs %w : tensor<1xf32> -> tensor<1xf32>
// CHECK-NEXT:    %a = graph.add %x, %r
// CHECK-NEXT:    %a_1 = graph.device_copy %a {source = "cpu", to = "opencl:intel-gen9"}
// CHECK-NEXT:    %b = graph.mul %a_1, %r
// CHECK-NEXT:    %b_1 = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"}
// CHECK-NEXT:    func.return %b_1, %r
func.func @constants_are_on_every_device(%x: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %w = graph.constant dense<-2.5> : tensor<1xf32>
  %r = graph.abs %w : tensor<1xf32> -> tensor<1xf32>
  %a = graph.add %x, %r {device = "cpu"} : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %b = graph.mul %a, %r {device = "opencl:intel-gen9"} : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  func.return %b, %r : tensor<1xf32>, tensor<1xf32>
}

// -----
// CHECK-LABEL: func.func @network_on_one_device_stays
// CHECK-NEXT:    graph.relu %x {device = "opencl:intel-gen9"}
// CHECK-NEXT:    func.return
func.func @network_on_one_device_stays(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  func.return %a : tensor<8xf32>
}

// -----
// CHECK: insert-device-copies: 'prob' (graph.tanh) has no device, others have; run place-on-devices, which gives one to every op
func.func @op_without_a_device(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.relu %x {device = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  %b = graph.tanh %a {lamina.source = "prob"} : tensor<8xf32> -> tensor<8xf32>
  func.return %b : tensor<8xf32>
}
