// RUN: lamina-opt %s -p loop-sink-loads | filecheck %s

// CHECK-LABEL: func.func @loads_go_to_their_first_use(
// CHECK-NEXT:    %a = vec.load %x[0]
// CHECK-NEXT:    %c = arith.addf %a, %a : f32
// CHECK-NEXT:    %b = vec.load %x[1]
// CHECK-NEXT:    %d = arith.addf %b, %c : f32
func.func @loads_go_to_their_first_use(%x: memref<2xf32>) -> f32 {
  %b = vec.load %x[1] : memref<2xf32> -> f32
  %a = vec.load %x[0] : memref<2xf32> -> f32
  %c = arith.addf %a, %a : f32
  %d = arith.addf %b, %c : f32
  func.return %d : f32
}

// CHECK-LABEL: func.func @loads_with_the_same_use_keep_their_order(
// CHECK-NEXT:    %c = arith.addf %z, %z : f32
// CHECK-NEXT:    %a = vec.load %x[0]
// CHECK-NEXT:    %b = vec.load_splat %x[1]
// CHECK-NEXT:    func.call @f(%a, %b)
func.func @loads_with_the_same_use_keep_their_order(%x: memref<2xf32>, %z: f32) {
  %a = vec.load %x[0] : memref<2xf32> -> f32
  %b = vec.load_splat %x[1] : memref<2xf32> -> vector<4xf32>
  %c = arith.addf %z, %z : f32
  func.call @f(%a, %b) : (f32, vector<4xf32>) -> ()
  func.return
}
func.func private @f(f32, vector<4xf32>)

// CHECK-LABEL: func.func @a_store_to_the_same_buffer_stops_a_load(
// CHECK-NEXT:    vec.store %z, %y[0] : f32, memref<2xf32>
// CHECK-NEXT:    %a = vec.load %x[0]
// CHECK-NEXT:    vec.store %z, %x[0] : f32, memref<2xf32>
// CHECK-NEXT:    func.return %a
func.func @a_store_to_the_same_buffer_stops_a_load(%x: memref<2xf32>, %y: memref<2xf32>, %z: f32) -> f32 {
  %a = vec.load %x[0] : memref<2xf32> -> f32
  vec.store %z, %y[0] : f32, memref<2xf32>
  vec.store %z, %x[0] : f32, memref<2xf32>
  func.return %a : f32
}

// CHECK-LABEL: func.func @shared_memory_stops_a_load(
// CHECK-NEXT:    %a = vec.load %x[0]
// CHECK-NEXT:    vec.store
func.func @shared_memory_stops_a_load(%x: memref<2xf32> {lamina.may_alias}, %y: memref<2xf32> {lamina.may_alias}, %z: f32) -> f32 {
  %a = vec.load %x[0] : memref<2xf32> -> f32
  vec.store %z, %y[0] : f32, memref<2xf32>
  func.return %a : f32
}

// CHECK-LABEL: func.func @a_loop_that_uses_the_value_is_its_first_use(
// CHECK-NEXT:    vec.store
// CHECK-NEXT:    %a = vec.load %x[0]
// CHECK-NEXT:    loop.for %i < 2 {
func.func @a_loop_that_uses_the_value_is_its_first_use(%x: memref<2xf32>, %y: memref<2xf32>, %z: f32) {
  %a = vec.load %x[0] : memref<2xf32> -> f32
  vec.store %z, %y[0] : f32, memref<2xf32>
  loop.for %i < 2 {
    vec.store %a, %y[%i] : f32, memref<2xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @a_loop_that_writes_stops_a_load(
// CHECK-NEXT:    %a = vec.load_strided %x[0] stride 2
// CHECK-NEXT:    loop.for %i < 2 {
func.func @a_loop_that_writes_stops_a_load(%x: memref<8xf32>, %z: f32) -> vector<4xf32> {
  %a = vec.load_strided %x[0] stride 2 : memref<8xf32> -> vector<4xf32>
  loop.for %i < 2 {
    vec.store %z, %x[%i] : f32, memref<8xf32>
  }
  func.return %a : vector<4xf32>
}

// A cast is the same memory.
// CHECK-LABEL: func.func @load_stays_before_a_store_to_a_view
// CHECK:         %v = vec.load %t[0]
// CHECK-NEXT:    vec.store %a, %f[0, 0]
// CHECK-NEXT:    vec.store %v, %y[0]
func.func @load_stays_before_a_store_to_a_view(%a: f32, %y: memref<4xf32>) {
  %t = memref.alloca() : memref<4xf32>
  %f = memref.reinterpret_cast %t to offset: [0], sizes: [2, 2], strides: [2, 1] : memref<4xf32> to memref<2x2xf32>
  %v = vec.load %t[0] : memref<4xf32> -> f32
  vec.store %a, %f[0, 0] : f32, memref<2x2xf32>
  vec.store %v, %y[0] : f32, memref<4xf32>
  func.return
}
