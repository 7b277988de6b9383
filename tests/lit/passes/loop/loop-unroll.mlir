// RUN: lamina-opt %s -p 'loop-unroll{index=k}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @carried_values_go_from_step_to_step(
// CHECK-NEXT:    %[[V0:.*]] = vec.load %x[0] : memref<2xf32> -> f32
// CHECK-NEXT:    %[[S0:.*]] = arith.addf %z, %[[V0]] : f32
// CHECK-NEXT:    %[[V1:.*]] = vec.load %x[1] : memref<2xf32> -> f32
// CHECK-NEXT:    %[[S1:.*]] = arith.addf %[[S0]], %[[V1]] : f32
// CHECK-NEXT:    func.return %[[S1]] : f32
func.func @carried_values_go_from_step_to_step(%x: memref<2xf32>, %z: f32) -> f32 {
  %r = loop.for %k < 2 iter(%a = %z) : f32 {
    %v = vec.load %x[%k] : memref<2xf32> -> f32
    %s = arith.addf %a, %v : f32
    loop.yield %s : f32
  }
  func.return %r : f32
}

// CHECK-LABEL: func.func @outer_indices_stay(
// CHECK-NEXT:    %r = loop.for %i < 4 iter(%a = %z) : f32 {
// CHECK-NEXT:      %[[V0:.*]] = vec.load %x[%i * 2] : memref<8xf32> -> f32
// CHECK-NEXT:      %[[S0:.*]] = arith.addf %a, %[[V0]] : f32
// CHECK-NEXT:      %[[V1:.*]] = vec.load %x[%i * 2 + 1] : memref<8xf32> -> f32
// CHECK-NEXT:      %[[S1:.*]] = arith.addf %[[S0]], %[[V1]] : f32
// CHECK-NEXT:      loop.yield %[[S1]] : f32
func.func @outer_indices_stay(%x: memref<8xf32>, %z: f32) -> f32 {
  %r = loop.for %i < 4, %k < 2 iter(%a = %z) : f32 {
    %v = vec.load %x[%i * 2 + %k] : memref<8xf32> -> f32
    %s = arith.addf %a, %v : f32
    loop.yield %s : f32
  }
  func.return %r : f32
}

// CHECK-LABEL: func.func @parallel_stays_parallel(
// CHECK-NEXT:    loop.for %i < 4 parallel {
// CHECK-NEXT:      vec.store %v, %y[%i, 0]
// CHECK-NEXT:      vec.store %v, %y[%i, 1]
// CHECK-NEXT:    }
func.func @parallel_stays_parallel(%v: f32, %y: memref<4x2xf32>) {
  loop.for %i < 4, %k < 2 parallel {
    vec.store %v, %y[%i, %k] : f32, memref<4x2xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @other_users_get_a_constant(
// CHECK-NEXT:    %[[K0:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %{{.*}} = arith.index_cast %[[K0]] : index to i32
// CHECK-NEXT:    %[[K1:.*]] = arith.constant 1 : index
// CHECK-NEXT:    %{{.*}} = arith.index_cast %[[K1]] : index to i32
func.func @other_users_get_a_constant() {
  loop.for %k < 2 {
    %n = arith.index_cast %k : index to i32
  }
  func.return
}

// CHECK-LABEL: func.func @inner_loops_are_copied_whole(
// CHECK-NEXT:    loop.for %j < 3 {
// CHECK-NEXT:      vec.store %v, %y[0, %j]
// CHECK-NEXT:    }
// CHECK-NEXT:    loop.for %[[J:.*]] < 3 {
// CHECK-NEXT:      vec.store %v, %y[1, %[[J]]]
func.func @inner_loops_are_copied_whole(%v: f32, %y: memref<2x3xf32>) {
  loop.for %k < 2 {
    loop.for %j < 3 {
      vec.store %v, %y[%k, %j] : f32, memref<2x3xf32>
    }
  }
  func.return
}

// CHECK-LABEL: func.func @yielded_value_from_outside(
// CHECK-NEXT:    func.return %y : f32
func.func @yielded_value_from_outside(%x: f32, %y: f32) -> f32 {
  %r = loop.for %k < 2 iter(%a = %x) : f32 {
    loop.yield %y : f32
  }
  func.return %r : f32
}

// -----

// CHECK: loop-unroll: no loop index 'k'; the nests are (i)
loop.for %i < 2 {}

// -----

// CHECK: loop-unroll: 'k' is not the innermost index of (k, i); loop-interchange can make it so, and loop-unroll-and-jam unrolls outer indices
loop.for %k < 2, %i < 2 {}
