// RUN: lamina-opt %s -p 'loop-unroll-and-jam{index=i}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @loops_are_merged_and_loads_shared(
// CHECK-NEXT:    %z = arith.constant
// CHECK-NEXT:    %[[R0:.*]], %[[R1:.*]] = loop.for %k < 8 iter(%[[A0:.*]] = %z, %[[A1:.*]] = %z) : vector<16xf32> {
// CHECK-NEXT:      %v = vec.load %w[%k, 0] : memref<8x16xf32> -> vector<16xf32>
// CHECK-NEXT:      %[[X0:.*]] = vec.load_splat %x[0, %k] : memref<2x8xf32> -> vector<16xf32>
// CHECK-NEXT:      %[[X1:.*]] = vec.load_splat %x[1, %k] : memref<2x8xf32> -> vector<16xf32>
// CHECK-NEXT:      %[[S0:.*]] = math.fma %[[X0]], %v, %[[A0]] : vector<16xf32>
// CHECK-NEXT:      %[[S1:.*]] = math.fma %[[X1]], %v, %[[A1]] : vector<16xf32>
// CHECK-NEXT:      loop.yield %[[S0]], %[[S1]] : vector<16xf32>, vector<16xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    vec.store %[[R0]], %y[0, 0] : vector<16xf32>, memref<2x16xf32>
// CHECK-NEXT:    vec.store %[[R1]], %y[1, 0] : vector<16xf32>, memref<2x16xf32>
// CHECK-NEXT:    func.return
func.func @loops_are_merged_and_loads_shared(%x: memref<2x8xf32>, %w: memref<8x16xf32>, %y: memref<2x16xf32>) {
  loop.for %i < 2 {
    %z = arith.constant dense<0.0> : vector<16xf32>
    %r = loop.for %k < 8 iter(%a = %z) : vector<16xf32> {
      %v = vec.load %w[%k, 0] : memref<8x16xf32> -> vector<16xf32>
      %u = vec.load_splat %x[%i, %k] : memref<2x8xf32> -> vector<16xf32>
      %s = math.fma %u, %v, %a : vector<16xf32>
      loop.yield %s : vector<16xf32>
    }
    vec.store %r, %y[%i, 0] : vector<16xf32>, memref<2x16xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @other_indices_stay(
// CHECK-NEXT:    loop.for %h < 4, %j < 3 parallel {
// CHECK-NEXT:      vec.store %v, %y[%h, 0, %j]
// CHECK-NEXT:      vec.store %v, %y[%h, 1, %j]
func.func @other_indices_stay(%v: f32, %y: memref<4x2x3xf32>) {
  loop.for %h < 4, %i < 2, %j < 3 parallel {
    vec.store %v, %y[%h, %i, %j] : f32, memref<4x2x3xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @every_step_has_its_own_scratch(
// CHECK-NEXT:    %[[A:.*]] = memref.alloca() : memref<1xf32>
// CHECK-NEXT:    %[[B:.*]] = memref.alloca() : memref<1xf32>
// CHECK-NEXT:    vec.store %v, %[[A]][0] : f32, memref<1xf32>
// CHECK-NEXT:    vec.store %v, %[[B]][0] : f32, memref<1xf32>
func.func @every_step_has_its_own_scratch(%v: f32) {
  loop.for %i < 2 {
    %m = memref.alloca() : memref<1xf32>
    vec.store %v, %m[0] : f32, memref<1xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @other_users_get_a_constant(
// CHECK-NEXT:    %[[I0:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %[[I1:.*]] = arith.constant 1 : index
// CHECK-NEXT:    loop.for %k < 4 {
// CHECK-NEXT:      %{{.*}} = arith.index_cast %[[I0]] : index to i32
// CHECK-NEXT:      %{{.*}} = arith.index_cast %[[I1]] : index to i32
func.func @other_users_get_a_constant() {
  loop.for %i < 2 {
    loop.for %k < 4 {
      %n = arith.index_cast %i : index to i32
    }
  }
  func.return
}

// -----

// CHECK: loop-unroll-and-jam: no loop index 'i'; the nests are (j)
loop.for %j < 2 {}

// -----

// CHECK: loop-unroll-and-jam: the steps of 'i' in (i, j) cannot run at once: the nest carries 1 values from step to step
func.func @carried(%z: f32) {
  %r = loop.for %i < 2, %j < 3 iter(%a = %z) : f32 {
    loop.yield %a : f32
  }
  func.return
}

// -----

// CHECK: loop-unroll-and-jam: the steps of 'i' in (i) cannot run at once: steps of 'i' may touch the same elements of memref<9xf32>, which vec.store writes
func.func @each_step_reads_what_the_last_one_wrote(%y: memref<9xf32>) {
  loop.for %i < 8 {
    %v = vec.load %y[%i] : memref<9xf32> -> f32
    vec.store %v, %y[%i + 1] : f32, memref<9xf32>
  }
  func.return
}

// -----

// CHECK: loop-unroll-and-jam: the steps of 'i' in (i) cannot run at once: steps of 'i' may touch the same elements of memref<4xf32>, which vec.store writes
func.func @every_step_overwrites_all(%v: f32, %y: memref<4xf32>) {
  loop.for %i < 2 {
    loop.for %j < 4 {
      vec.store %v, %y[%j] : f32, memref<4xf32>
    }
  }
  func.return
}
