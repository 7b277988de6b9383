// RUN: lamina-opt %s --split-input-file -p share-device-memory,verify-mappings | filecheck %s

// Inputs and outputs are in the host's hands at the beginning and at the end. What lies between
// regions begins in its device's hands; nothing is copied.
// CHECK-LABEL: func.func @edges_are_mapped(%x: memref<8xf32> {lamina.input = "data"}, %r: memref<8xf32> {lamina.output = "prob"})
// CHECK-SAME:    attributes {lamina.entry}
// CHECK-NEXT:    %y = memref.alloc() : memref<1x1x16xf32>
// CHECK-NEXT:    graph.unmap %x {device = "opencl:intel-gen9"} : memref<8xf32>
// CHECK-NEXT:    graph.run @region0_opencl(%x, %y) : memref<8xf32>, memref<1x1x16xf32>
// CHECK-NEXT:    %z = memref.alloc() : memref<8xf32>
// CHECK-NEXT:    graph.map %y {device = "opencl:intel-gen9"} : memref<1x1x16xf32>
// CHECK-NEXT:    graph.map %z {device = "opencl:intel-gen9"} : memref<8xf32>
// CHECK-NEXT:    graph.run @region1_cpu(%y, %z)
// CHECK-NEXT:    graph.unmap %y {device = "opencl:intel-gen9"}
// CHECK-NEXT:    graph.unmap %z {device = "opencl:intel-gen9"}
// CHECK-NEXT:    graph.unmap %r {device = "opencl:intel-gen9"}
// CHECK-NEXT:    graph.run @region2_opencl(%y, %z, %r)
// CHECK-NEXT:    graph.map %x {device = "opencl:intel-gen9"}
// CHECK-NEXT:    graph.map %r {device = "opencl:intel-gen9"}
// CHECK-NEXT:    func.return
func.func @edges_are_mapped(%x: tensor<8xf32> {lamina.input = "data"}) -> tensor<8xf32> attributes {lamina.entry, lamina.outputs = ["prob"]} {
  %a = graph.device_copy %x {source = "cpu", to = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %y = func.call @region0_opencl(%a) : (tensor<8xf32>) -> tensor<1x8xf32, #graph.layout<NC16c>>
  %b = graph.device_copy %y {source = "opencl:intel-gen9", to = "cpu"} : tensor<1x8xf32, #graph.layout<NC16c>> -> tensor<1x8xf32, #graph.layout<NC16c>>
  %z = func.call @region1_cpu(%b) : (tensor<1x8xf32, #graph.layout<NC16c>>) -> tensor<8xf32>
  %c = graph.device_copy %z {source = "cpu", to = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %d = func.call @region2_opencl(%y, %c) : (tensor<1x8xf32, #graph.layout<NC16c>>, tensor<8xf32>) -> tensor<8xf32>
  %r = graph.device_copy %d {source = "opencl:intel-gen9", to = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %r : tensor<8xf32>
}
func.func private @region0_opencl(%x: tensor<8xf32>) -> tensor<1x8xf32, #graph.layout<NC16c>> attributes {lamina.device = "opencl:intel-gen9"}
func.func private @region1_cpu(%x: tensor<1x8xf32, #graph.layout<NC16c>>) -> tensor<8xf32> attributes {lamina.device = "cpu"}
func.func private @region2_opencl(%x: tensor<1x8xf32, #graph.layout<NC16c>>, %y: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "opencl:intel-gen9"}

// -----
// CHECK-LABEL: func.func @two_devices_have_a_buffer_each
// CHECK:         graph.run @region0_opencl(%x, %y)
// CHECK-NEXT:    %[[T:y_1]] = memref.alloc()
// CHECK-NEXT:    graph.map %y {device = "opencl:intel-gen9"}
// CHECK-NEXT:    graph.map %[[T]] {device = "opencl:portable"}
// CHECK-NEXT:    "memref.copy"(%y, %[[T]])
// CHECK-NEXT:    graph.unmap %[[T]] {device = "opencl:portable"}
// CHECK-NEXT:    graph.unmap %z {device = "opencl:portable"}
// CHECK-NEXT:    graph.run @region1_opencl(%[[T]], %z)
func.func @two_devices_have_a_buffer_each(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = graph.device_copy %x {source = "cpu", to = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %y = func.call @region0_opencl(%a) : (tensor<8xf32>) -> tensor<8xf32>
  %b = graph.device_copy %y {source = "opencl:intel-gen9", to = "opencl:portable"} : tensor<8xf32> -> tensor<8xf32>
  %c = func.call @region1_opencl(%b) : (tensor<8xf32>) -> tensor<8xf32>
  %z = graph.device_copy %c {source = "opencl:portable", to = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %z : tensor<8xf32>
}
func.func private @region0_opencl(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "opencl:intel-gen9"}
func.func private @region1_opencl(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "opencl:portable"}

// -----
// Each result has a buffer of its own: inputs, and what is a result already, are copied.
// CHECK-LABEL: func.func @results_are_written_apart(%x: memref<8xf32> {{.*}}, %y: memref<8xf32> {lamina.output = "output0"}, %x_1: memref<8xf32> {{.*}}, %y_1: memref<8xf32> {{.*}})
// CHECK-NEXT:    graph.unmap %x
// CHECK-NEXT:    graph.unmap %y
// CHECK-NEXT:    graph.run @region0_opencl(%x, %y)
// CHECK-NEXT:    graph.map %x
// CHECK-NEXT:    "memref.copy"(%x, %x_1)
// CHECK-NEXT:    graph.map %y
// CHECK-NEXT:    "memref.copy"(%y, %y_1)
// CHECK-NEXT:    func.return
func.func @results_are_written_apart(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %a = graph.device_copy %x {source = "cpu", to = "opencl:intel-gen9"} : tensor<8xf32> -> tensor<8xf32>
  %b = func.call @region0_opencl(%a) : (tensor<8xf32>) -> tensor<8xf32>
  %y = graph.device_copy %b {source = "opencl:intel-gen9", to = "cpu"} : tensor<8xf32> -> tensor<8xf32>
  func.return %y, %x, %y : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}
func.func private @region0_opencl(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "opencl:intel-gen9"}

// -----
// CHECK-LABEL: func.func @network_without_regions_stays
// CHECK-NEXT:    func.call @kernel
func.func @network_without_regions_stays(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "cpu"} {
  %y = func.call @kernel(%x) : (tensor<8xf32>) -> tensor<8xf32>
  func.return %y : tensor<8xf32>
}
func.func private @kernel(%x: tensor<8xf32>) -> tensor<8xf32>
