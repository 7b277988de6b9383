// RUN: lamina-opt %s -p vec-transpose-loads | filecheck %s

// CHECK-LABEL: func.func @neighbours_become_rows(
// CHECK-NEXT:    %[[R0:.*]] = vec.load %x[%i, %j * 4] : memref<8x16xf32> -> vector<4xf32>
// CHECK-NEXT:    %[[R1:.*]] = vec.load %x[%i + 1, %j * 4] : memref<8x16xf32> -> vector<4xf32>
// CHECK-NEXT:    %[[R2:.*]] = vec.load %x[%i + 2, %j * 4] : memref<8x16xf32> -> vector<4xf32>
// CHECK-NEXT:    %[[R3:.*]] = vec.load %x[%i + 3, %j * 4] : memref<8x16xf32> -> vector<4xf32>
// CHECK-NEXT:    %[[A:.*]] = vec.shuffle %[[R0]], %[[R2]] [0, 4, 1, 5]
// CHECK-NEXT:    %[[B:.*]] = vec.shuffle %[[R0]], %[[R2]] [2, 6, 3, 7]
// CHECK-NEXT:    %[[C:.*]] = vec.shuffle %[[R1]], %[[R3]] [0, 4, 1, 5]
// CHECK-NEXT:    %[[D:.*]] = vec.shuffle %[[R1]], %[[R3]] [2, 6, 3, 7]
// CHECK-NEXT:    %a = vec.shuffle %[[A]], %[[C]] [0, 4, 1, 5]
// CHECK-NEXT:    %b = vec.shuffle %[[A]], %[[C]] [2, 6, 3, 7]
// CHECK-NEXT:    %c = vec.shuffle %[[B]], %[[D]] [0, 4, 1, 5]
// CHECK-NEXT:    %d = vec.shuffle %[[B]], %[[D]] [2, 6, 3, 7]
// CHECK-NEXT:    func.return %a, %b, %c, %d
func.func @neighbours_become_rows(%x: memref<8x16xf32>, %i: index, %j: index) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  %a = vec.load_strided %x[%i, %j * 4] stride 16 : memref<8x16xf32> -> vector<4xf32>
  %b = vec.load_strided %x[%i, %j * 4 + 1] stride 16 : memref<8x16xf32> -> vector<4xf32>
  %c = vec.load_strided %x[%i, %j * 4 + 2] stride 16 : memref<8x16xf32> -> vector<4xf32>
  %d = vec.load_strided %x[%i, %j * 4 + 3] stride 16 : memref<8x16xf32> -> vector<4xf32>
  func.return %a, %b, %c, %d : vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>
}

// Rows of two are zipped to vectors of four lanes first; the third column has no neighbour.
// CHECK-LABEL: func.func @three_columns_are_two_and_one(
// CHECK-NEXT:    %[[R0:.*]] = vec.load %x[0, 0] : memref<4x3xf32> -> vector<2xf32>
// CHECK-NEXT:    %[[R1:.*]] = vec.load %x[1, 0]
// CHECK-NEXT:    %[[R2:.*]] = vec.load %x[2, 0]
// CHECK-NEXT:    %[[R3:.*]] = vec.load %x[3, 0]
// CHECK-NEXT:    %[[A:.*]] = vec.shuffle %[[R0]], %[[R2]] [0, 2, 1, 3] : vector<2xf32> -> vector<4xf32>
// CHECK-NEXT:    %[[B:.*]] = vec.shuffle %[[R1]], %[[R3]] [0, 2, 1, 3] : vector<2xf32> -> vector<4xf32>
// CHECK-NEXT:    %a = vec.shuffle %[[A]], %[[B]] [0, 4, 1, 5] : vector<4xf32> -> vector<4xf32>
// CHECK-NEXT:    %b = vec.shuffle %[[A]], %[[B]] [2, 6, 3, 7] : vector<4xf32> -> vector<4xf32>
// CHECK-NEXT:    %c = vec.load_strided %x[0, 2] stride 3
func.func @three_columns_are_two_and_one(%x: memref<4x3xf32>) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  %a = vec.load_strided %x[0, 0] stride 3 : memref<4x3xf32> -> vector<4xf32>
  %b = vec.load_strided %x[0, 1] stride 3 : memref<4x3xf32> -> vector<4xf32>
  %c = vec.load_strided %x[0, 2] stride 3 : memref<4x3xf32> -> vector<4xf32>
  func.return %a, %b, %c : vector<4xf32>, vector<4xf32>, vector<4xf32>
}

// The first row stands for the fourth, whose lane is then left out.
// CHECK-LABEL: func.func @three_lanes_of_four(
// CHECK-NEXT:    %[[R0:.*]] = vec.load %x[0, 0]
// CHECK-NEXT:    %[[R1:.*]] = vec.load %x[1, 0]
// CHECK-NEXT:    %[[R2:.*]] = vec.load %x[2, 0]
// CHECK-NEXT:    vec.shuffle %[[R0]], %[[R2]]
// CHECK-NEXT:    vec.shuffle %[[R1]], %[[R0]]
// CHECK:         %a = vec.shuffle %[[A:.*]], %[[A]] [0, 1, 2] : vector<4xf32> -> vector<3xf32>
// CHECK:         func.return %a
func.func @three_lanes_of_four(%x: memref<3x2xf32>) -> (vector<3xf32>, vector<3xf32>) {
  %a = vec.load_strided %x[0, 0] stride 2 : memref<3x2xf32> -> vector<3xf32>
  %b = vec.load_strided %x[0, 1] stride 2 : memref<3x2xf32> -> vector<3xf32>
  func.return %a, %b : vector<3xf32>, vector<3xf32>
}

// CHECK-LABEL: func.func @a_write_between_them_keeps_loads_apart(
// CHECK-NEXT:    %a = vec.load_strided
// CHECK-NEXT:    vec.store
// CHECK-NEXT:    %b = vec.load_strided
func.func @a_write_between_them_keeps_loads_apart(%x: memref<4x2xf32>) -> (vector<4xf32>, vector<4xf32>) {
  %a = vec.load_strided %x[0, 0] stride 2 : memref<4x2xf32> -> vector<4xf32>
  vec.store %a, %x[0, 0] : vector<4xf32>, memref<4x2xf32>
  %b = vec.load_strided %x[0, 1] stride 2 : memref<4x2xf32> -> vector<4xf32>
  func.return %a, %b : vector<4xf32>, vector<4xf32>
}

// CHECK-LABEL: func.func @lanes_of_other_strides_or_of_truth_values_stay(
// CHECK-NOT:     vec.shuffle
func.func @lanes_of_other_strides_or_of_truth_values_stay(%x: memref<8x2xf32>, %t: memref<4x2xi1>) -> (vector<4xf32>, vector<4xf32>, vector<4xi1>, vector<4xi1>) {
  %a = vec.load_strided %x[0, 0] stride 2 : memref<8x2xf32> -> vector<4xf32>
  %b = vec.load_strided %x[0, 1] stride 4 : memref<8x2xf32> -> vector<4xf32>
  %c = vec.load_strided %t[0, 0] stride 2 : memref<4x2xi1> -> vector<4xi1>
  %d = vec.load_strided %t[0, 1] stride 2 : memref<4x2xi1> -> vector<4xi1>
  func.return %a, %b, %c, %d : vector<4xf32>, vector<4xf32>, vector<4xi1>, vector<4xi1>
}
