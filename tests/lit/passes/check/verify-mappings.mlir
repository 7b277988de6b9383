// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p verify-mappings | filecheck %s

func.func private @region0_opencl(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "opencl:intel-gen9"}
func.func private @region1_cpu(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "cpu"}
// CHECK-LABEL: func.func @buffers_handed_on_stay
func.func @buffers_handed_on_stay(%x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>) {
  %a = memref.alloc() : memref<8xf32>
  %b = memref.alloc() : memref<8xf32>
  graph.unmap %x {device = "opencl:intel-gen9"} : memref<8xf32>
  graph.run @region0_opencl(%x, %a) : memref<8xf32>, memref<8xf32>
  graph.map %a {device = "opencl:intel-gen9"} : memref<8xf32>
  graph.run @region1_cpu(%a, %b) : memref<8xf32>, memref<8xf32>
  graph.run @region1_cpu(%b, %y) : memref<8xf32>, memref<8xf32>
  "memref.copy"(%y, %z) : (memref<8xf32>, memref<8xf32>) -> ()
  graph.map %x {device = "opencl:intel-gen9"} : memref<8xf32>
  func.return
}

// -----
func.func private @region0_cpu(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "cpu"}
// CHECK: verify-mappings: graph.run @region0_cpu needs %x in the hands of the host, not of opencl:intel-gen9 (in @region_of_the_host_reads_what_is_the_device_s)
func.func @region_of_the_host_reads_what_is_the_device_s(%x: memref<8xf32>, %y: memref<8xf32>) {
  graph.unmap %x {device = "opencl:intel-gen9"} : memref<8xf32>
  graph.run @region0_cpu(%x, %y) : memref<8xf32>, memref<8xf32>
  graph.map %x {device = "opencl:intel-gen9"} : memref<8xf32>
  func.return
}

// -----
func.func private @region0_opencl(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "opencl:intel-gen9"}
// CHECK: verify-mappings: graph.run @region0_opencl needs %x in the hands of opencl:intel-gen9, not of the host (in @region_of_a_device_runs_on_what_is_the_host_s); and 1 more
func.func @region_of_a_device_runs_on_what_is_the_host_s(%x: memref<8xf32>, %y: memref<8xf32>) {
  graph.run @region0_opencl(%x, %y) : memref<8xf32>, memref<8xf32>
  func.return
}

// -----
// CHECK: verify-mappings: %x needs to be in the host's hands in the end; map it (in @argument_is_not_given_back)
func.func @argument_is_not_given_back(%x: memref<8xf32>) {
  graph.unmap %x {device = "opencl:intel-gen9"} : memref<8xf32>
  func.return
}

// -----
// CHECK: verify-mappings: graph.map needs %x in the hands of opencl:intel-gen9, not of the host (in @what_is_mapped_is_mapped_again)
func.func @what_is_mapped_is_mapped_again(%x: memref<8xf32>) {
  graph.map %x {device = "opencl:intel-gen9"} : memref<8xf32>
  func.return
}

// -----
// CHECK: verify-mappings: %x is used by opencl:intel-gen9 and by opencl:portable; copy it for one of them (in @buffer_of_two_devices); and
func.func @buffer_of_two_devices(%x: memref<8xf32>) {
  graph.unmap %x {device = "opencl:intel-gen9"} : memref<8xf32>
  graph.map %x {device = "opencl:portable"} : memref<8xf32>
  func.return
}

// -----
// CHECK: verify-mappings: memref.copy needs %x in the hands of the host, not of opencl:intel-gen9 (in @host_copies_what_is_the_device_s)
func.func @host_copies_what_is_the_device_s(%x: memref<8xf32>, %y: memref<8xf32>) {
  graph.unmap %x {device = "opencl:intel-gen9"} : memref<8xf32>
  "memref.copy"(%x, %y) : (memref<8xf32>, memref<8xf32>) -> ()
  graph.map %x {device = "opencl:intel-gen9"} : memref<8xf32>
  func.return
}

// -----
func.func private @region0_cpu(%x: tensor<8xf32>) -> tensor<8xf32> attributes {lamina.device = "cpu"}
// CHECK: verify-mappings: graph.run @region0_cpu reads %a, to which nothing was written (in @nothing_was_written)
func.func @nothing_was_written(%y: memref<8xf32>) {
  %a = memref.alloc() : memref<8xf32>
  graph.run @region0_cpu(%a, %y) : memref<8xf32>, memref<8xf32>
  func.return
}
