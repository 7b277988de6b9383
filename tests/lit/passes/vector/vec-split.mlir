// RUN: lamina-opt %s -p 'vec-split{lanes=8}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @every_vector_becomes_two(
// CHECK-NEXT:    %[[Z0:.*]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-NEXT:    %[[Z1:.*]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-NEXT:    %[[R0:.*]], %[[R1:.*]] = loop.for %k < 5 iter(%[[A0:.*]] = %[[Z0]], %[[A1:.*]] = %[[Z1]]) : vector<8xf32> {
// CHECK-NEXT:      %[[B0:.*]] = vec.load %w[%k, 16] : memref<5x32xf32> -> vector<8xf32>
// CHECK-NEXT:      %[[B1:.*]] = vec.load %w[%k, 24] : memref<5x32xf32> -> vector<8xf32>
// CHECK-NEXT:      %a = vec.load_splat %x[%k] : memref<5xf32> -> vector<8xf32>
// CHECK-NEXT:      %[[S0:.*]] = math.fma %a, %[[B0]], %[[A0]] : vector<8xf32>
// CHECK-NEXT:      %[[S1:.*]] = math.fma %a, %[[B1]], %[[A1]] : vector<8xf32>
// CHECK-NEXT:      loop.yield %[[S0]], %[[S1]] : vector<8xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    vec.store %[[R0]], %y[0] : vector<8xf32>, memref<16xf32>
// CHECK-NEXT:    vec.store %[[R1]], %y[8] : vector<8xf32>, memref<16xf32>
// CHECK-NEXT:    func.return
func.func @every_vector_becomes_two(%x: memref<5xf32>, %w: memref<5x32xf32>, %y: memref<16xf32>) {
  %z = arith.constant dense<0.0> : vector<16xf32>
  %r = loop.for %k < 5 iter(%acc = %z) : vector<16xf32> {
    %b = vec.load %w[%k, 16] : memref<5x32xf32> -> vector<16xf32>
    %a = vec.load_splat %x[%k] : memref<5xf32> -> vector<16xf32>
    %s = math.fma %a, %b, %acc : vector<16xf32>
    loop.yield %s : vector<16xf32>
  }
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL: func.func @groups_stay_together(
// CHECK-NEXT:    %[[B0:.*]] = vec.load %w[%i, 0, 0] : memref<2x16x4xi8> -> vector<8x4xi8>
// CHECK-NEXT:    %[[B1:.*]] = vec.load %w[%i, 8, 0] : memref<2x16x4xi8> -> vector<8x4xi8>
// CHECK-NEXT:    %a = vec.load_splat %x[%i * 4] : memref<8xi8> -> vector<8x4xi8>
// CHECK-NEXT:    %[[C0:.*]] = vec.load %y[0] : memref<16xi32> -> vector<8xi32>
// CHECK-NEXT:    %[[C1:.*]] = vec.load %y[8] : memref<16xi32> -> vector<8xi32>
// CHECK-NEXT:    %{{.*}} = int8.dot4 %[[C0]], %a, %[[B0]] : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
// CHECK-NEXT:    %{{.*}} = int8.dot4 %[[C1]], %a, %[[B1]] : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
func.func @groups_stay_together(%x: memref<8xi8>, %w: memref<2x16x4xi8>, %y: memref<16xi32>, %i: index) {
  %b = vec.load %w[%i, 0, 0] : memref<2x16x4xi8> -> vector<16x4xi8>
  %a = vec.load_splat %x[%i * 4] : memref<8xi8> -> vector<16x4xi8>
  %c = vec.load %y[0] : memref<16xi32> -> vector<16xi32>
  %d = int8.dot4 %c, %a, %b : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return
}

// CHECK-LABEL: func.func @a_lane_is_a_lane_of_its_part(
// CHECK-NEXT:    %{{.*}} = vec.load %x[0] : memref<16xf32> -> vector<8xf32>
// CHECK-NEXT:    %[[V1:.*]] = vec.load %x[8] : memref<16xf32> -> vector<8xf32>
// CHECK-NEXT:    %a = vec.splat_lane %[[V1]][3] : vector<8xf32>
// CHECK-NEXT:    vec.store %a, %x[0] : vector<8xf32>, memref<16xf32>
// CHECK-NEXT:    vec.store %a, %x[8] : vector<8xf32>, memref<16xf32>
func.func @a_lane_is_a_lane_of_its_part(%x: memref<16xf32>) {
  %v = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %a = vec.splat_lane %v[11] : vector<16xf32>
  vec.store %a, %x[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL: func.func @strides_go_on_in_the_next_part(
// CHECK-NEXT:    %[[V0:.*]] = vec.load_strided %x[%i, 0] stride 9 : memref<64x9xf32> -> vector<8xf32>
// CHECK-NEXT:    %[[V1:.*]] = vec.load_strided %x[%i + 8, 0] stride 9 : memref<64x9xf32> -> vector<8xf32>
// CHECK-NEXT:    vec.store_strided %[[V0]], %y[0, %i] stride 4 : vector<8xf32>, memref<16x4xf32>
// CHECK-NEXT:    vec.store_strided %[[V1]], %y[8, %i] stride 4 : vector<8xf32>, memref<16x4xf32>
func.func @strides_go_on_in_the_next_part(%x: memref<64x9xf32>, %y: memref<16x4xf32>, %i: index) {
  %v = vec.load_strided %x[%i, 0] stride 9 : memref<64x9xf32> -> vector<16xf32>
  vec.store_strided %v, %y[0, %i] stride 4 : vector<16xf32>, memref<16x4xf32>
  func.return
}

// CHECK-LABEL: func.func @the_next_part_may_be_in_the_next_row(
// CHECK-NEXT:    vec.load %x[%i, 2] : memref<4x10xf32> -> vector<8xf32>
// CHECK-NEXT:    vec.load %x[%i + 1, 0] : memref<4x10xf32> -> vector<8xf32>
func.func @the_next_part_may_be_in_the_next_row(%x: memref<4x10xf32>, %i: index) {
  %v = vec.load %x[%i, 2] : memref<4x10xf32> -> vector<16xf32>
  func.return
}

// CHECK-LABEL: func.func @constants_are_sliced_and_types_converted(
// CHECK-NEXT:    arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : vector<8xi32>
// CHECK-NEXT:    arith.constant dense<[8, 9, 10, 11, 12, 13, 14, 15]> : vector<8xi32>
// CHECK-NEXT:    vec.convert unsigned %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK-NEXT:    vec.convert unsigned %{{.*}} : vector<8xi32> to vector<8xf32>
func.func @constants_are_sliced_and_types_converted() {
  %c = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : vector<16xi32>
  %f = vec.convert unsigned %c : vector<16xi32> to vector<16xf32>
  func.return
}

// CHECK-LABEL: func.func @scalars_and_narrow_vectors_stay(
// CHECK-NEXT:    %v = vec.load %x[0] : memref<16xf32> -> vector<8xf32>
// CHECK-NEXT:    %s = vec.load %x[%i] : memref<16xf32> -> f32
// CHECK-NEXT:    %t = math.exp %s : f32
func.func @scalars_and_narrow_vectors_stay(%x: memref<16xf32>, %i: index) {
  %v = vec.load %x[0] : memref<16xf32> -> vector<8xf32>
  %s = vec.load %x[%i] : memref<16xf32> -> f32
  %t = math.exp %s : f32
  func.return
}

// -----

// CHECK: vec-split: vector<12xf32> cannot be cut into vectors of 8 lanes; lanes must divide 12
func.func @lanes_do_not_divide(%x: memref<12xf32>) {
  %v = vec.load %x[0] : memref<12xf32> -> vector<12xf32>
  func.return
}

// -----

// CHECK: vec-split: @vector_argument takes or returns vector<16xf32>; hand vectors over in buffers
func.func @vector_argument(%v: vector<16xf32>) {
  func.return
}

// -----

// CHECK: vec-split: func.call on vector<16xf32> cannot be cut into vectors of 8 lanes
func.func private @g(vector<16xf32>)
func.func @call(%x: memref<16xf32>) {
  %v = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  func.call @g(%v) : (vector<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @lanes_take_their_places_along(
// CHECK-NEXT:    %[[A:.*]] = vec.load %at[0] : memref<16xi32> -> vector<8xi32>
// CHECK-NEXT:    %[[B:.*]] = vec.load %at[8] : memref<16xi32> -> vector<8xi32>
// CHECK-NEXT:    %[[R:.*]] = vec.gather %x[1, 0] at %[[A]] : memref<4x64xf32>, vector<8xi32> -> vector<8xf32>
// CHECK-NEXT:    %[[S:.*]] = vec.gather %x[1, 0] at %[[B]] : memref<4x64xf32>, vector<8xi32> -> vector<8xf32>
func.func @lanes_take_their_places_along(%at: memref<16xi32>, %x: memref<4x64xf32>, %y: memref<16xf32>) {
  %a = vec.load %at[0] : memref<16xi32> -> vector<16xi32>
  %r = vec.gather %x[1, 0] at %a : memref<4x64xf32>, vector<16xi32> -> vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @both_sides_of_a_choice(
// CHECK-NEXT:    loop.if %i < 2 {
// CHECK-NEXT:      %[[A:.*]] = vec.load %x[0] : memref<16xf32> -> vector<8xf32>
// CHECK-NEXT:      %[[B:.*]] = vec.load %x[8] : memref<16xf32> -> vector<8xf32>
// CHECK-NEXT:      vec.store %[[A]], %y[0] : vector<8xf32>, memref<16xf32>
// CHECK-NEXT:      vec.store %[[B]], %y[8] : vector<8xf32>, memref<16xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @both_sides_of_a_choice(%i: index, %x: memref<16xf32>, %y: memref<16xf32>) {
  loop.if %i < 2 {
    %v = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
    vec.store %v, %y[0] : vector<16xf32>, memref<16xf32>
  }
  func.return
}

// -----

// CHECK: vec-split: vec.load_run on memref<32xf32>, vector<16xf32>, vector<16xf32> cannot be cut into vectors of 8 lanes
func.func @runs_are_made_of_vectors_that_are_cut(%x: memref<32xf32>) {
  %a, %b = vec.load_run %x[0] : memref<32xf32> -> vector<16xf32>, vector<16xf32>
  func.return
}
