// RUN: lamina-opt %s -p 'loop-interchange{order=j,h,i}' --split-input-file --verify-diagnostics | filecheck %s
// RUN: lamina-opt %s -p 'loop-interchange{order=i,i}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=TWICE

// TWICE: loop-interchange: order (i, i) names an index twice

// CHECK-LABEL: func.func @parallel_nests_have_no_order(
// CHECK-NEXT:    loop.for %j < 4, %h < 2, %i < 3 parallel {
// CHECK-NEXT:      vec.store %v, %y[%h + %i + %j] : f32, memref<7xf32>
func.func @parallel_nests_have_no_order(%v: f32, %y: memref<7xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 parallel {
    vec.store %v, %y[%h + %i + %j] : f32, memref<7xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @different_elements_have_no_order(
// CHECK-NEXT:    loop.for %j < 4, %h < 2, %i < 3 {
// CHECK-NEXT:      %v = vec.load %x[%h + %i + %j] : memref<128xf32> -> vector<16xf32>
// CHECK-NEXT:      vec.store %v, %y[%h, %i * 2 + 1, %j * 16] : vector<16xf32>, memref<2x6x64xf32>
func.func @different_elements_have_no_order(%x: memref<128xf32>, %y: memref<2x6x64xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    %v = vec.load %x[%h + %i + %j] : memref<128xf32> -> vector<16xf32>
    vec.store %v, %y[%h, %i * 2 + 1, %j * 16] : vector<16xf32>, memref<2x6x64xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @neighbouring_lanes_have_no_order(
// CHECK-NEXT:    loop.for %j < 4, %h < 2, %i < 3 {
func.func @neighbouring_lanes_have_no_order(%x: memref<68xf32>, %v: vector<8xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    vec.store %v, %x[%h * 4 + %j * 12] : vector<8xf32>, memref<68xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @one_accumulating_index_moves_across_the_others(
// CHECK-NEXT:    loop.for %j < 4, %h < 2, %i < 3 {
func.func @one_accumulating_index_moves_across_the_others(%x: memref<4xf32>, %y: memref<2x3xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    %a = vec.load %y[%h, %i] : memref<2x3xf32> -> f32
    %v = vec.load %x[%j] : memref<4xf32> -> f32
    %s = arith.addf %a, %v : f32
    vec.store %s, %y[%h, %i] : f32, memref<2x3xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @nothing_to_do_needs_no_proof(
// CHECK-NEXT:    %r = loop.for %j < 4, %h < 2, %i < 3 iter(%a = %z) : f32 {
func.func @nothing_to_do_needs_no_proof(%z: f32) -> f32 {
  %r = loop.for %j < 4, %h < 2, %i < 3 iter(%a = %z) : f32 {
    loop.yield %a : f32
  }
  func.return %r : f32
}

// -----

// CHECK: loop-interchange: no nest has exactly the indices (j, h, i); the nests are (h), (i, j)
loop.for %h < 2 {
  loop.for %i < 3, %j < 4 {}
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): it carries 1 values through its iterations in order
func.func @carried(%z: f32) {
  %r = loop.for %h < 2, %i < 3, %j < 4 iter(%a = %z) : f32 {
    loop.yield %a : f32
  }
  func.return
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): steps of 'j' may touch the same elements of memref<7xf32>, which vec.store writes
func.func @last_writer_wins(%x: memref<24xf32>, %y: memref<7xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    %v = vec.load %x[%h * 12 + %i * 4 + %j] : memref<24xf32> -> f32
    vec.store %v, %y[%h + %i + %j] : f32, memref<7xf32>
  }
  func.return
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): steps of 'j' may touch the same elements of memref<3x4xf32>, which vec.store writes
func.func @sum_over_two_indices_has_an_order(%x: memref<2x3x4xf32>, %y: memref<3x4xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    %a = vec.load %y[%i, 0] : memref<3x4xf32> -> f32
    %v = vec.load %x[%h, %i, %j] : memref<2x3x4xf32> -> f32
    %s = arith.addf %a, %v : f32
    vec.store %s, %y[%i, 0] : f32, memref<3x4xf32>
  }
  func.return
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): steps of 'j' may touch the same elements of memref<68xf32>, which vec.store writes
func.func @lanes_overlap(%x: memref<68xf32>, %v: vector<8xf32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    vec.store %v, %x[%h * 4 + %j * 11] : vector<8xf32>, memref<68xf32>
  }
  func.return
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): func.call may touch any memory
func.func private @f(%i: index)
loop.for %h < 2, %i < 3, %j < 4 {
  func.call @f(%i) : (index) -> ()
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): vec.store writes what is also used under another type than memref<2x3x4xf32>
func.func @same_memory_twice(%x: memref<24xf32> {lamina.may_alias}, %y: memref<2x3x4xf32> {lamina.may_alias}) {
  loop.for %h < 2, %i < 3, %j < 4 {
    %v = vec.load %x[%h] : memref<24xf32> -> f32
    vec.store %v, %y[%h, %i, %j] : f32, memref<2x3x4xf32>
  }
  func.return
}

// -----

// CHECK: loop-interchange: (h, i, j) cannot become (j, h, i): steps of 'j' may touch the same elements of memref<2x3x4xf32>, which vec.store writes
func.func @lanes_are_anywhere(%x: memref<2x3x4xf32>, %lanes: vector<1xi32>) {
  loop.for %h < 2, %i < 3, %j < 4 {
    %v = vec.gather %x[%h, %i, %j] at %lanes : memref<2x3x4xf32>, vector<1xi32> -> vector<1xf32>
    vec.store %v, %x[%h, %i, %j] : vector<1xf32>, memref<2x3x4xf32>
  }
  func.return
}
