// RUN: lamina-opt %s -p 'loop-tile{index=i by=4}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @whole_blocks_keep_the_nest_perfect(
// CHECK-NEXT:    loop.for %h < 2, %io < 3, %ii < 4, %j < 5 {
// CHECK-NEXT:      %v = vec.load %x[%h, %io * 4 + %ii, %j] : memref<2x12x5xf32> -> f32
// CHECK-NEXT:      vec.store %v, %y[%h, %io, %ii, %j] : f32, memref<2x3x4x5xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @whole_blocks_keep_the_nest_perfect(%x: memref<2x12x5xf32>, %y: memref<2x3x4x5xf32>) {
  loop.for %h < 2, %i < 12, %j < 5 {
    %v = vec.load %x[%h, %i, %j] : memref<2x12x5xf32> -> f32
    vec.store %v, %y[%h, %i floordiv 4, %i mod 4, %j] : f32, memref<2x3x4x5xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @tail_is_a_second_nest(
// CHECK-NEXT:    loop.for %io < 2, %ii < 4 {
// CHECK-NEXT:      vec.store %v, %y[%io * 4 + %ii] : f32, memref<10xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    loop.for %[[I:.*]] < 2 {
// CHECK-NEXT:      vec.store %v, %y[%[[I]] + 8] : f32, memref<10xf32>
// CHECK-NEXT:    }
func.func @tail_is_a_second_nest(%v: f32, %y: memref<10xf32>) {
  loop.for %i < 10 {
    vec.store %v, %y[%i] : f32, memref<10xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @order_is_kept_where_it_may_matter(
// CHECK-NEXT:    loop.for %h < 2 {
// CHECK-NEXT:      loop.for %io < 1, %ii < 4, %j < 5 {
// CHECK-NEXT:        vec.store %v, %y[%h * 5 + %ii + %j] : f32, memref<20xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      loop.for %{{.*}} < 1, %[[J:.*]] < 5 {
// CHECK-NEXT:        vec.store %v, %y[%h * 5 + %[[J]] + 4] : f32, memref<20xf32>
func.func @order_is_kept_where_it_may_matter(%v: f32, %y: memref<20xf32>) {
  loop.for %h < 2, %i < 5, %j < 5 {
    vec.store %v, %y[%h * 5 + %i + %j] : f32, memref<20xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @parallel_nests_stay_perfect(
// CHECK-NEXT:    loop.for %h < 2, %io < 1, %ii < 4 parallel {
// CHECK:         loop.for %[[H:.*]] < 2, %{{.*}} < 1 parallel {
// CHECK-NEXT:      vec.store %v, %y[%[[H]] * 5 + 4] : f32, memref<10xf32>
func.func @parallel_nests_stay_perfect(%v: f32, %y: memref<10xf32>) {
  loop.for %h < 2, %i < 5 parallel {
    vec.store %v, %y[%h * 5 + %i] : f32, memref<10xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @carried_values_go_through_both_nests(
// CHECK-NEXT:    %r = loop.for %h < 3 iter(%a = %z) : f32 {
// CHECK-NEXT:      %[[MAIN:.*]] = loop.for %io < 2, %ii < 4 iter(%[[B:.*]] = %a) : f32 {
// CHECK:           %[[TAIL:.*]] = loop.for %{{.*}} < 2 iter(%{{.*}} = %[[MAIN]]) : f32 {
// CHECK:           loop.yield %[[TAIL]] : f32
// CHECK:         func.return %r : f32
func.func @carried_values_go_through_both_nests(%x: memref<3x10xf32>, %z: f32) -> f32 {
  %r = loop.for %h < 3, %i < 10 iter(%a = %z) : f32 {
    %v = vec.load %x[%h, %i] : memref<3x10xf32> -> f32
    %s = arith.addf %a, %v : f32
    loop.yield %s : f32
  }
  func.return %r : f32
}

// CHECK-LABEL: func.func @uses_in_inner_loops_are_rewritten(
// CHECK:           vec.store %v, %y[%io * 4 + %ii, %j] : f32, memref<8x3xf32>
func.func @uses_in_inner_loops_are_rewritten(%v: f32, %y: memref<8x3xf32>) {
  loop.for %i < 8 {
    loop.for %j < 3 {
      vec.store %v, %y[%i, %j] : f32, memref<8x3xf32>
    }
  }
  func.return
}

// -----

// CHECK: loop-tile: no loop index 'i'; the nests are (h, j), (k)
loop.for %h < 8, %j < 2 {
  loop.for %k < 3 {}
}

// -----

// CHECK: loop-tile: no loop index 'i'; there is no loop
func.func @no_loop() {
  func.return
}

// -----

// CHECK: loop-tile: 'i' of extent 3 cannot be cut into blocks of 4; by must be in 1..3
loop.for %i < 3 {}

// -----

// CHECK: loop-tile: the nest (i, io) already has an index 'io'; choose other names with outer= and inner=
loop.for %i < 8, %io < 2 {}

// -----

// CHECK: loop-tile: index 'i' can be rewritten in the index of vec ops only, but arith.index_cast uses it; lower that first
loop.for %i < 8 {
  %n = arith.index_cast %i : index to i32
}

// -----

// CHECK: loop-tile: a nest has several indices 'i'; the nests are (i, i)
loop.for %i < 8, %i_1 < 8 {}
