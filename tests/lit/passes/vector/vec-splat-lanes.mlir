// RUN: lamina-opt %s -p 'vec-splat-lanes{least=2}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @neighbours_become_lanes_of_one_vector(
// CHECK-NEXT:    %[[V:.*]] = vec.load %x[%i, %j * 4] : memref<8x16xf32> -> vector<4xf32>
// CHECK-NEXT:    %a = vec.splat_lane %[[V]][0] : vector<4xf32>
// CHECK-NEXT:    %b = vec.splat_lane %[[V]][1] : vector<4xf32>
// CHECK-NEXT:    %c = vec.splat_lane %[[V]][2] : vector<4xf32>
// CHECK-NEXT:    %d = vec.splat_lane %[[V]][3] : vector<4xf32>
func.func @neighbours_become_lanes_of_one_vector(%x: memref<8x16xf32>, %i: index, %j: index) {
  %a = vec.load_splat %x[%i, %j * 4] : memref<8x16xf32> -> vector<4xf32>
  %b = vec.load_splat %x[%i, %j * 4 + 1] : memref<8x16xf32> -> vector<4xf32>
  %c = vec.load_splat %x[%i, %j * 4 + 2] : memref<8x16xf32> -> vector<4xf32>
  %d = vec.load_splat %x[%i, %j * 4 + 3] : memref<8x16xf32> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @some_lanes_are_enough_inside_a_row(
// CHECK-NEXT:    %[[V:.*]] = vec.load %x[%i, 4] : memref<8x8xf32> -> vector<4xf32>
// CHECK-NEXT:    %a = vec.splat_lane %[[V]][1] : vector<4xf32>
// CHECK-NEXT:    %b = vec.splat_lane %[[V]][3] : vector<4xf32>
func.func @some_lanes_are_enough_inside_a_row(%x: memref<8x8xf32>, %i: index) {
  %a = vec.load_splat %x[%i, 5] : memref<8x8xf32> -> vector<4xf32>
  %b = vec.load_splat %x[%i, 7] : memref<8x8xf32> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @the_vector_ends_where_the_row_does(
// CHECK-NEXT:    %[[V:.*]] = vec.load %x[%i, 2] : memref<8x6xf32> -> vector<4xf32>
// CHECK-NEXT:    %a = vec.splat_lane %[[V]][2] : vector<4xf32>
// CHECK-NEXT:    %b = vec.splat_lane %[[V]][3] : vector<4xf32>
func.func @the_vector_ends_where_the_row_does(%x: memref<8x6xf32>, %i: index) {
  %a = vec.load_splat %x[%i, 4] : memref<8x6xf32> -> vector<4xf32>
  %b = vec.load_splat %x[%i, 5] : memref<8x6xf32> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @nothing_is_read_outside_the_row(
// CHECK-NEXT:    vec.load_splat %x[%i, 0]
// CHECK-NEXT:    vec.load_splat %x[%i, 1]
func.func @nothing_is_read_outside_the_row(%x: memref<8x3xf32>, %i: index) {
  %a = vec.load_splat %x[%i, 0] : memref<8x3xf32> -> vector<4xf32>
  %b = vec.load_splat %x[%i, 1] : memref<8x3xf32> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @groups_are_lanes_too(
// CHECK-NEXT:    %[[V:.*]] = vec.load %x[%i, 0] : memref<8x16xi8> -> vector<4x4xi8>
// CHECK-NEXT:    %a = vec.splat_lane %[[V]][0] : vector<4x4xi8>
// CHECK-NEXT:    %b = vec.splat_lane %[[V]][3] : vector<4x4xi8>
// CHECK-NEXT:    %c = vec.load_splat %x[%i, 3]
func.func @groups_are_lanes_too(%x: memref<8x16xi8>, %i: index) {
  %a = vec.load_splat %x[%i, 0] : memref<8x16xi8> -> vector<4x4xi8>
  %b = vec.load_splat %x[%i, 12] : memref<8x16xi8> -> vector<4x4xi8>
  %c = vec.load_splat %x[%i, 3] : memref<8x16xi8> -> vector<4x4xi8>
  func.return
}

// CHECK-LABEL: func.func @other_rows_and_columns_do_not_share_a_vector(
// CHECK-NEXT:    vec.load_splat %x[%i, 0]
// CHECK-NEXT:    vec.load_splat %x[%i + 1, 1]
// CHECK-NEXT:    vec.load_splat %x[%i, 5]
func.func @other_rows_and_columns_do_not_share_a_vector(%x: memref<8x16xf32>, %i: index) {
  %a = vec.load_splat %x[%i, 0] : memref<8x16xf32> -> vector<4xf32>
  %b = vec.load_splat %x[%i + 1, 1] : memref<8x16xf32> -> vector<4xf32>
  %c = vec.load_splat %x[%i, 5] : memref<8x16xf32> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @a_write_in_between_ends_a_vector(
// CHECK-NEXT:    vec.load_splat %x[0]
// CHECK-NEXT:    vec.store
// CHECK-NEXT:    vec.load_splat %x[1]
func.func @a_write_in_between_ends_a_vector(%x: memref<4xf32>, %v: f32) {
  %a = vec.load_splat %x[0] : memref<4xf32> -> vector<4xf32>
  vec.store %v, %x[1] : f32, memref<4xf32>
  %b = vec.load_splat %x[1] : memref<4xf32> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @a_strided_row_holds_no_vector(
// CHECK-NEXT:    vec.load_splat %x[0]
// CHECK-NEXT:    vec.load_splat %x[1]
func.func @a_strided_row_holds_no_vector(%x: memref<4xf32, strided<[2]>>) {
  %a = vec.load_splat %x[0] : memref<4xf32, strided<[2]>> -> vector<4xf32>
  %b = vec.load_splat %x[1] : memref<4xf32, strided<[2]>> -> vector<4xf32>
  func.return
}

// CHECK-LABEL: func.func @a_condition_says_what_is_inside_the_row(
// CHECK:         loop.if %i < 3
// CHECK-NEXT:    %[[V:.*]] = vec.load %x[%i * 4] : memref<14xf32> -> vector<4xf32>
// CHECK-NEXT:    vec.splat_lane %[[V]][0]
// CHECK-NEXT:    vec.splat_lane %[[V]][1]
// CHECK:         vec.load_splat %x[%i * 4]
// CHECK-NEXT:    vec.load_splat %x[%i * 4 + 1]
func.func @a_condition_says_what_is_inside_the_row(%x: memref<14xf32>) {
  loop.for %i < 4 {
    loop.if %i < 3 {
      %a = vec.load_splat %x[%i * 4] : memref<14xf32> -> vector<4xf32>
      %b = vec.load_splat %x[%i * 4 + 1] : memref<14xf32> -> vector<4xf32>
    } else {
      %c = vec.load_splat %x[%i * 4] : memref<14xf32> -> vector<4xf32>
      %d = vec.load_splat %x[%i * 4 + 1] : memref<14xf32> -> vector<4xf32>
    }
  }
  func.return
}
